// How much time the platform itself adds to a turn: from the message to the end that a client sees, less what the model took.
// On real processes, with a durable Postgres, one tool round a turn. `npm run bench -- turn [--turns N] [--sessions N]`.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { followSession, sendMessage } from '../../local/conversation-client/index.ts'
import { startPlatform, type Platform } from '../../local/platform/index.ts'
import { allotPorts } from '../../local/runner/index.ts'
import { loadConfig } from '../../shared/config/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../shared/time/index.ts'

const root = join(import.meta.dirname, '..', '..')

const targets = { p50Ms: 150, p95Ms: 400, readyMs: 8_000, rssMiB: 1_024 }

export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { turns: { type: 'string', default: '200' }, sessions: { type: 'string', default: '50' } },
  })
  const [turns, sessions] = [Number(values.turns), Number(values.sessions)]
  const home = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    await (await start(home)).platform.stop() // makes the database: what is measured is the warm start
    const { platform, readyMs } = await start(home)
    try {
      await oneByOne(platform, 20) // caches and compilers warm up
      const alone = await oneByOne(platform, turns)
      const together = await Promise.all(Array.from({ length: sessions }, (_, index) => oneTurn(platform, index)))
      print({ readyMs, alone, together, rssMiB: rssMiB(platform) })
    } finally {
      await platform.stop()
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

interface MeasuredTurn {
  /** Milliseconds, less the model's. */
  readonly platformMs: number
  readonly modelMs: number
}

async function start(home: string): Promise<{ readonly platform: Platform; readonly readyMs: number }> {
  const began = performance.now()
  const [gatewayPort = 0] = await allotPorts(1)
  const environment = { PATH: process.env['PATH'] ?? '' }
  const log = createLogger({ function: 'local', level: 'silent' })
  const platform = await startPlatform(
    { root, home, environment, config: loadConfig(environment), gatewayPort, rehearsal: { delayMs: 0 } },
    {
      clock,
      log,
      onStep: () => undefined,
      onProcess: ({ kind, process: name }) => kind === 'ended' && console.log(`${name} ended`),
    },
    AbortSignal.timeout(120_000),
  )
  return { platform, readyMs: performance.now() - began }
}

async function oneByOne(platform: Platform, count: number): Promise<readonly MeasuredTurn[]> {
  const measured: MeasuredTurn[] = []
  for (let index = 0; index < count; index += 1) measured.push(await oneTurn(platform, index))
  return measured
}

async function oneTurn({ gatewayUrl, model }: Platform, index: number): Promise<MeasuredTurn> {
  const signal = AbortSignal.timeout(60_000)
  const began = performance.now()
  const { sessionId, turnId } = await sendMessage({ gatewayUrl, message: `What is ${index}*23?`, signal }, { clock })
  for await (const item of followSession({ gatewayUrl, sessionId, after: 0, signal }, { clock })) {
    if (item.kind !== 'event' || item.turnId !== turnId) continue
    if (item.type === 'conversation.turn.failed.v1') throw new Error(`the turn failed: ${JSON.stringify(item.data)}`)
    if (item.type !== 'conversation.turn.completed.v1') continue
    const asked = model?.requests().filter((request) => request.turn === turnId) ?? []
    if (asked.length !== 2) throw new Error(`the model was asked ${asked.length} times, not twice`)
    const modelMs = asked.reduce((sum, { duration_ms: ms }) => sum + ms, 0)
    return { platformMs: performance.now() - began - modelMs, modelMs }
  }
  throw new Error('the turn did not end')
}

/** Resident memory of all function processes together. */
function rssMiB({ runner }: Platform): number {
  const pids = runner.processes.map((one) => one.pid()).join(',')
  const lines = execFileSync('ps', ['-o', 'rss=', '-p', pids], { encoding: 'utf8' }).trim().split('\n')
  return lines.reduce((sum, line) => sum + Number(line), 0) / 1_024
}

function percentile(turns: readonly MeasuredTurn[], share: number): number {
  const sorted = turns.map(({ platformMs }) => platformMs).toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

interface Results {
  readonly readyMs: number
  readonly alone: readonly MeasuredTurn[]
  readonly together: readonly MeasuredTurn[]
  readonly rssMiB: number
}

function print({ readyMs, alone, together, rssMiB: memory }: Results): void {
  const line = (name: string, value: number, target?: number): void =>
    console.log(
      `${name.padEnd(34)} ${value.toFixed(0).padStart(6)}${target === undefined ? '' : `   target ≤ ${target}`}`,
    )
  console.log(
    `\nplatform time of a turn with one tool round, the model's time taken off; durable Postgres, a process for each function\n`,
  )
  line(`turn.p50_ms (${alone.length}, one by one)`, percentile(alone, 0.5), targets.p50Ms)
  line(`turn.p95_ms (${alone.length}, one by one)`, percentile(alone, 0.95), targets.p95Ms)
  line(`turn.at_once_p50_ms (${together.length} sessions)`, percentile(together, 0.5))
  line(`turn.at_once_p95_ms (${together.length} sessions)`, percentile(together, 0.95))
  line('turn.start_to_ready_ms', readyMs, targets.readyMs)
  line('turn.functions_rss_mib', memory, targets.rssMiB)
}
