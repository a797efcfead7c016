// One run of the crash suite: start the rig, send, break things, wait until all is done, write the history, judge it.

import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkers, extraCopies, type Breach } from './checkers/index.ts'
import { collectHistory, remainderOf } from './history/collect.ts'
import { fileOf, readHistory, readLines } from './history/history-files.ts'
import { groups } from './history/history.ts'
import { recoveryTimes } from './history/recovery.ts'
import { createNemesis } from './nemesis/nemesis.ts'
import { describePlan, planFaults } from './nemesis/plan-faults.ts'
import type { ProcessEnd } from './rig/kept-process.ts'
import { rigTopics, startRig, type Rig } from './rig/rig.ts'
import { seededRandom } from './seeded-random.ts'
import { startSenders, type Senders } from './senders.ts'
import { planSends } from './workload/plan-sends.ts'
import type { RunBegun } from './workload/process-deps.ts'

export interface CrashRunOptions {
  readonly events: number
  readonly seed: number
  readonly log: 'kafka' | 'postgres'
  readonly rate: number
  /** Emptied first. Holds the history and the logs afterwards. */
  readonly folder: string
  readonly print: (line: string) => void
}

export interface Verdict {
  readonly passed: number
  readonly failed: number
}

/** Sends pause while so much is under way: a rig that is far behind shows nothing but its queue. */
const mostUnderWay = 2_000
const lookEveryMs = 1_000
const reportEveryMs = 5_000
const stuckAfterMs = 120_000
const longestRecoveryMs = 30_000

export async function crashRun(options: CrashRunOptions): Promise<Verdict> {
  const { events, seed, log, rate, folder, print } = options
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const planned = planSends({ events, seed })
  const plan = planFaults({ events, seed, log })
  print(`crash run: ${events} events, seed ${seed}, log on ${log}; history in ${folder}`)
  for (const line of describePlan(plan)) print(line)

  const begun = performance.now()
  const seconds = (): string => ((performance.now() - begun) / 1_000).toFixed(0).padStart(4)
  const ends: ProcessEnd[] = []
  const endsFile = createWriteStream(join(folder, 'ends.jsonl'))
  const faults: string[] = []
  const unproven: string[] = []
  let over = false
  const onEnd = (end: ProcessEnd): void => {
    if (over) return
    ends.push(end)
    endsFile.write(`${JSON.stringify(end)}\n`)
    print(`${seconds()} s  ${end.name} (${end.pid}) ended: ${end.cause}`)
  }
  const rig = await startRig({ log, folder, arms: plan.arms, random: seededRandom(seed + 1), onEnd })
  try {
    print(`${seconds()} s  everything is up`)
    const nemesis = createNemesis(plan, {
      rig,
      onFault: ({ what, proof }) => {
        faults.push(what)
        print(`${seconds()} s  ${what}: ${proof}`)
      },
      onUnproven: (what, error) => {
        unproven.push(what)
        print(`${seconds()} s  ${what}: NOT PROVEN, ${String(error)}`)
      },
    })
    const watch = createWatch(rig)
    const senders = startSenders(
      { planned, file: fileOf(folder, 'sends'), rate },
      { eventLog: rig.eventLog, random: seededRandom(seed + 2), mayGoOn: watch.notTooFar },
    )
    await followRun({ rig, nemesis, senders, watch, total: planned.length, print, seconds, folder })
    over = true
    await collectHistory({ folder, topics: rigTopics.map(({ name }) => name), groups }, rig)
    print(`${seconds()} s  done; ${JSON.stringify(senders.outcomes())}`)
  } finally {
    over = true
    await rig.stop()
    await new Promise<void>((resolve) => endsFile.end(() => resolve()))
  }
  writeFileSync(join(folder, 'unproven.json'), `${JSON.stringify(unproven)}\n`)
  const expectedFaults = plan.timed.length
  print(`faults: ${faults.length} of ${expectedFaults} proven, ${ends.filter(isKill).length} processes killed`)
  return judge(folder, print)
}

interface Watch {
  readonly notTooFar: () => Promise<void>
  readonly look: () => Promise<Left | undefined>
}

interface Left {
  readonly parked: number
  readonly outboxPending: number
  readonly lag: number
  readonly lanes: number
}

function createWatch(rig: Rig): Watch {
  let underWay = 0
  const isFar = (): boolean => underWay > mostUnderWay
  return {
    notTooFar: async () => {
      while (isFar()) await sleep(100)
    },
    look: async () => {
      const limit = sleep(10_000, undefined, { ref: false })
      const left = await Promise.race([remainderOf(groups, rig).catch(() => undefined), limit])
      if (left !== undefined) underWay = left.lag + left.parked
      return left
    },
  }
}

interface Follow {
  readonly rig: Rig
  readonly nemesis: ReturnType<typeof createNemesis>
  readonly senders: Senders
  readonly watch: Watch
  readonly total: number
  readonly print: (line: string) => void
  readonly seconds: () => string
  readonly folder: string
}

/** Until everything is sent and nothing is left. @throws when nothing moves any more. */
async function followRun({ rig, nemesis, senders, watch, total, print, seconds, folder }: Follow): Promise<void> {
  let sending = true
  let fired = false
  const sent = senders.done.finally(() => (sending = false))
  sent.catch(() => undefined)
  let best = Number.POSITIVE_INFINITY
  let movedAt = performance.now()
  let reportedAt = 0
  for (;;) {
    const share = senders.tried() / total
    nemesis.advance(share)
    if (share >= killUnfiredAfter && !fired) {
      fired = true
      nemesis.killTheUnfired()
    }
    const left = await watch.look()
    const now = performance.now()
    const open = total - senders.tried() + (left === undefined ? 0 : left.parked + left.outboxPending + left.lag)
    if (left !== undefined && (open < best || sending)) {
      if (open < best) movedAt = now
      best = Math.min(best, open)
    }
    if (now - reportedAt > reportEveryMs) {
      reportedAt = now
      print(`${seconds()} s  sent ${senders.tried()} of ${total}, left ${JSON.stringify(left ?? 'unknown')}`)
    }
    if (!sending && left !== undefined && open === 0 && left.lanes === 0) break
    if (now - movedAt > stuckAfterMs) throw await stuck(rig, folder, left)
    await sleep(lookEveryMs)
  }
  await sent
  await nemesis.settled()
  // What a fault of the last moment left is waited for as well.
  for (let tries = 0; tries < 60; tries += 1) {
    const left = await watch.look()
    if (left !== undefined && left.parked + left.outboxPending + left.lag + left.lanes === 0) return
    await sleep(lookEveryMs)
  }
}

const killUnfiredAfter = 0.92

/** Leaves what a person needs to find out why: stacks, lanes, locks. */
async function stuck(rig: Rig, folder: string, left: Left | undefined): Promise<Error> {
  for (const kept of rig.processes.values()) kept.signal('SIGUSR2')
  const questions = {
    lanes: 'SELECT * FROM sluice.lane LIMIT 50',
    parked: 'SELECT function, key, position, id, attempts, due_at, cause, detail FROM sluice.parked LIMIT 50',
    outbox: 'SELECT * FROM sluice.outbox_key WHERE sent + 1 < next LIMIT 50',
    activity:
      'SELECT pid, application_name, state, wait_event_type, wait_event, query_start, query FROM pg_stat_activity',
    locks: 'SELECT pid, locktype, mode, granted FROM pg_locks WHERE NOT granted',
  }
  for (const [name, sql] of Object.entries(questions)) {
    const answer = await rig.database.query(sql).catch((error: unknown) => ({ rows: [String(error)] }))
    writeFileSync(join(folder, `stuck-${name}.json`), JSON.stringify(answer.rows, null, 1))
  }
  await sleep(2_000)
  return new Error(
    `nothing has moved for ${stuckAfterMs / 1_000} s, ${JSON.stringify(left)} left; see stuck-*.json in ${folder}`,
  )
}

const isKill = ({ cause }: ProcessEnd): boolean => cause.includes('=kill') || cause.startsWith('SIGKILL')

/** The checkers, and what else must hold, on the files of a run. */
export function judge(folder: string, print: (line: string) => void): Verdict {
  const history = readHistory(folder)
  const ends = readLines(join(folder, 'ends.jsonl')) as readonly ProcessEnd[]
  const runs = readLines(join(folder, 'runs.jsonl')) as readonly RunBegun[]
  const results: boolean[] = []
  const tell = (name: string, breaches: readonly string[], note = ''): void => {
    results.push(breaches.length === 0)
    print(`${breaches.length === 0 ? 'passed' : 'FAILED'}  ${name}${note === '' ? '' : `  (${note})`}`)
    for (const line of breaches.slice(0, 10)) print(`          ${line}`)
    if (breaches.length > 10) print(`          … ${breaches.length - 10} more`)
  }
  const words = (breaches: readonly Breach[]): readonly string[] => breaches.map(({ what }) => what)
  const { effects, deadLetters, outbox, sends } = history
  print(
    `judging ${sends.length} sends, ${effects.length} effects, ${history.records.length} records, ${deadLetters.length} dead letters`,
  )
  for (const { invariant, title, check } of checkers) tell(`${invariant} ${title}`, words(check(history)))

  const copies = extraCopies(history)
  const share = ((copies / Math.max(1, outbox.length)) * 100).toFixed(2)
  print(`        extra copies in the topics: ${copies} of ${outbox.length} (${share} %)`)
  tell(
    'nothing ended by itself',
    ends.filter((end) => !isKill(end)).map(({ name, cause }) => `${name}: ${cause}`),
  )
  const unproven = readJson(join(folder, 'unproven.json'))
  tell('every fault is proven', unproven)
  const times = recoveryTimes(ends.filter(isKill), { runs, effects })
  const slowest = Math.max(0, ...times)
  const late = times.filter((ms) => ms > longestRecoveryMs).map((ms) => `${(ms / 1_000).toFixed(1)} s`)
  tell(
    'from kill to retry at most 30 s',
    late,
    `${times.length} interrupted runs, slowest ${(slowest / 1_000).toFixed(1)} s`,
  )
  return { passed: results.filter(Boolean).length, failed: results.filter((passed) => !passed).length }
}

const readJson = (file: string): readonly string[] => {
  const [line] = readLines(file)
  return (line ?? []) as readonly string[]
}
