// One run of the crash suite: start the rig, send, break things, wait until all is done, write the history, judge it.

import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkers, extraCopies, type Breach } from './checkers/index.ts'
import { collectHistory, remainderOf } from './history/collect.ts'
import { fileOf, readHistory, readLines } from './history/history-files.ts'
import { groups, type Send } from './history/history.ts'
import { everything, recoveryTimes } from './history/recovery.ts'
import { createNemesis } from './nemesis/nemesis.ts'
import { describePlan, planFaults, type FaultPlan } from './nemesis/plan-faults.ts'
import type { ProcessEnd } from './rig/kept-process.ts'
import { rigTopics, startRig, type Rig } from './rig/rig.ts'
import { seededRandom } from './seeded-random.ts'
import { startSenders } from './senders.ts'
import { planSends, type PlannedSend } from './workload/plan-sends.ts'
import type { RunBegun } from './workload/process-deps.ts'

export interface CrashRunOptions {
  readonly events: number
  readonly seed: number
  readonly log: 'kafka' | 'postgres'
  readonly rate: number
  /** Holds the history and the logs afterwards. Emptied first, unless the run is resumed. */
  readonly folder: string
  /** Goes on with a run that was cut short. */
  readonly resume: boolean
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
  const { events, seed, log, rate, folder, print, resume } = options
  const serversFolder = join(tmpdir(), 'sluice-crash', `${events}-events-seed-${seed}-${log}`)
  if (!resume) for (const old of [folder, serversFolder]) rmSync(old, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const sends = planSends({ events, seed })
  const faultPlan = planFaults({ events, seed, log })
  print(`crash run: ${events} events, seed ${seed}, log on ${log}; history in ${folder}`)
  for (const line of describePlan(faultPlan)) print(line)
  const { planned, plan } = whatIsLeft(folder, { planned: sends, plan: faultPlan })
  const done = sends.length - planned.length
  if (resume) print(`resumed: ${done} of ${sends.length} were sent before`)

  const begun = performance.now()
  const seconds = (): string => ((performance.now() - begun) / 1_000).toFixed(0).padStart(4)
  const [endsFile, faultsFile] = [endsOf(folder), faultsOf(folder)].map((file) =>
    createWriteStream(file, { flags: 'a' }),
  )
  let over = false
  const onEnd = (end: ProcessEnd): void => {
    if (over) return
    endsFile?.write(`${JSON.stringify(end)}\n`)
    print(`${seconds()} s  ${end.name} (${end.pid}) ended: ${end.cause}`)
  }
  const rig = await startRig({ log, folder, serversFolder, arms: plan.arms, random: seededRandom(seed + 1), onEnd })
  try {
    print(`${seconds()} s  everything is up`)
    if (resume) onEnd({ name: everything, pid: 0, cause: 'SIGKILL, the run was cut short', at: Date.now() })
    const note = (fault: NotedFault): void => void faultsFile?.write(`${JSON.stringify(fault)}\n`)
    const nemesis = createNemesis(plan, {
      rig,
      onFault: ({ what, proof }) => {
        note({ what, proven: true })
        print(`${seconds()} s  ${what}: ${proof}`)
      },
      onUnproven: (what, error) => {
        note({ what, proven: false })
        print(`${seconds()} s  ${what}: NOT PROVEN, ${String(error)}`)
      },
    })
    const watch = createWatch(rig)
    const senders = startSenders(
      { planned, file: fileOf(folder, 'sends'), rate },
      { eventLog: rig.eventLog, random: seededRandom(seed + 2), mayGoOn: watch.notTooFar },
    )
    const tried = (): number => done + senders.tried()
    await followRun({ rig, nemesis, tried, sent: senders.done, watch, total: sends.length, print, seconds, folder })
    over = true
    await collectHistory({ folder, topics: rigTopics.map(({ name }) => name), groups }, rig)
    print(`${seconds()} s  done; ${JSON.stringify(senders.outcomes())}`)
  } finally {
    over = true
    await rig.stop()
    for (const file of [endsFile, faultsFile]) await new Promise<void>((resolve) => file?.end(() => resolve()))
  }
  const proven = notedFaults(folder).filter((fault) => fault.proven).length
  const ends = readLines(endsOf(folder)) as readonly ProcessEnd[]
  const kills = ends.filter((end) => isKill(end) && end.name !== everything).length
  print(`faults: ${proven} of ${faultPlan.timed.length} proven, ${kills} processes killed`)
  return judge(folder, print)
}

interface NotedFault {
  readonly what: string
  readonly proven: boolean
}

const endsOf = (folder: string): string => join(folder, 'ends.jsonl')
const faultsOf = (folder: string): string => join(folder, 'faults.jsonl')
const notedFaults = (folder: string): readonly NotedFault[] => readLines(faultsOf(folder)) as readonly NotedFault[]

interface Undone {
  readonly planned: readonly PlannedSend[]
  readonly plan: FaultPlan
}

/** Without what the files of an earlier part of the run say is done. A fault that was cut short is done again. */
function whatIsLeft(folder: string, { planned, plan }: Undone): Undone {
  const sent = new Map<string, number>()
  const nameOf = ({ kind, id }: Pick<Send, 'kind' | 'id'>): string => `${kind} ${id}`
  const written = readLines(fileOf(folder, 'sends')) as readonly Send[]
  for (const send of written) sent.set(nameOf(send), (sent.get(nameOf(send)) ?? 0) + 1)
  const left = planned.filter((send) => {
    const times = sent.get(nameOf(send)) ?? 0
    sent.set(nameOf(send), times - 1)
    return times <= 0
  })
  const timed = [...plan.timed]
  for (const { what } of notedFaults(folder)) {
    const at = timed.findIndex(({ kind }) => kind === what)
    if (at >= 0) timed.splice(at, 1)
  }
  const ends = readLines(endsOf(folder)) as readonly ProcessEnd[]
  const fired = (process: string): number => ends.filter((end) => end.name === process && isKill(end)).length
  const arms = new Map([...plan.arms].map(([process, points]) => [process, points.slice(fired(process))]))
  return { planned: left, plan: { arms, timed } }
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
  /** Sends that were tried. */
  readonly tried: () => number
  readonly sent: Promise<void>
  readonly watch: Watch
  readonly total: number
  readonly print: (line: string) => void
  readonly seconds: () => string
  readonly folder: string
}

/** Until everything is sent and nothing is left. @throws when nothing moves any more. */
async function followRun({ rig, nemesis, tried, sent, watch, total, print, seconds, folder }: Follow): Promise<void> {
  let sending = true
  let fired = false
  const ended = sent.finally(() => (sending = false))
  ended.catch(() => undefined)
  let best = Number.POSITIVE_INFINITY
  let movedAt = performance.now()
  let reportedAt = 0
  for (;;) {
    const share = tried() / total
    nemesis.advance(share)
    if (share >= killUnfiredAfter && !fired) {
      fired = true
      nemesis.killTheUnfired()
    }
    const left = await watch.look()
    const now = performance.now()
    const open = total - tried() + (left === undefined ? 0 : left.parked + left.outboxPending + left.lag)
    if (left !== undefined && (open < best || sending)) {
      if (open < best) movedAt = now
      best = Math.min(best, open)
    }
    if (now - reportedAt > reportEveryMs) {
      reportedAt = now
      print(`${seconds()} s  sent ${tried()} of ${total}, left ${JSON.stringify(left ?? 'unknown')}`)
    }
    if (!sending && left !== undefined && open === 0 && left.lanes === 0) break
    if (now - movedAt > stuckAfterMs) throw await stuck(rig, folder, left)
    await sleep(lookEveryMs)
  }
  await ended
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
  const ends = readLines(endsOf(folder)) as readonly ProcessEnd[]
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
  const unproven = notedFaults(folder).filter(({ proven }) => !proven)
  tell(
    'every fault is proven',
    unproven.map(({ what }) => what),
  )
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
