// `npm run bench -- start [--rounds 17]`: from the start of a process to its first 200, for a slim function, a raw node:http server
// and a hello of the Functions Framework. Each round starts every one of them once, in shuffled order; a ratio is the median of the
// rounds' ratios. For our function the 200 is that of /ready.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { allotPorts } from '../../local/runner/index.ts'
import { pinned } from './receiver/pinned-process.ts'
import { median, shuffled } from './receiver/rounds.ts'
import { prepareContestants, type Contestant } from './start/contestants.ts'
import { firstAnswer, waitForAnswer } from './start/first-answer.ts'

type Round = Record<Contestant['name'], number>

export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: 'string', default: '17' } } })
  const [port = 0] = await allotPorts(1)
  const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'))
  try {
    const contestants = await prepareContestants(folder, port)
    for (const contestant of contestants) await startMs(contestant, port) // files get into the page cache
    const rounds: Round[] = []
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const times: Partial<Round> = {}
      for (const contestant of shuffled(contestants)) times[contestant.name] = await startMs(contestant, port)
      rounds.push(times as Round)
    }
    report(rounds)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startMs({ command, env, path }: Contestant, port: number): Promise<number> {
  const [file, ...args] = pinned(0, command)
  const begun = performance.now()
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env, PORT: String(port) },
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  try {
    await waitForAnswer(() => firstAnswer(port, path), 60_000)
    return performance.now() - begun
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

function report(rounds: readonly Round[]): void {
  console.log('| process | median ms | fastest ms |\n|---|---:|---:|')
  for (const name of ['raw', 'slim', 'ff'] as const) {
    const times = rounds.map((round) => round[name])
    console.log(`| ${name} | ${median(times).toFixed(0)} | ${Math.min(...times).toFixed(0)} |`)
  }
  const ratio = (name: string, of: (round: Round) => number): void =>
    console.log(`ratio ${name} ${median(rounds.map(of)).toFixed(2)}`)
  ratio('start-slim/raw', ({ slim, raw }) => slim / raw)
  ratio('start-slim/ff', ({ slim, ff }) => slim / ff)
}
