// The schedule of faults: how many for a run of this size, when, and where each process dies. A function of the seed alone.

import { failpoint } from '../../../shared/delivery/index.ts'
import { seededRandom, type SeededRandom } from '../seeded-random.ts'

export type FaultKind =
  | 'bounce the broker'
  | 'kill Postgres at once'
  | 'drop the answer to a COMMIT'
  | 'pause a process past its lease'
  | 'kill the source'

export interface TimedFault {
  readonly kind: FaultKind
  /** Share of the sends after which it happens, in (0, 1). */
  readonly after: number
  /** Picks a process, where there is a choice. */
  readonly pick: number
}

export interface FaultPlan {
  /** By process, in the order of its lives: `point=kill@N`. */
  readonly arms: ReadonlyMap<string, readonly string[]>
  readonly timed: readonly TimedFault[]
}

export interface FaultPlanOptions {
  readonly events: number
  readonly seed: number
  readonly log: 'kafka' | 'postgres'
  /** Only these; for runs that prove one thing. */
  readonly counts?: FaultCounts
}

export interface FaultCounts {
  readonly kills: number
  readonly brokerBounces: number
  readonly postgresKills: number
  readonly droppedCommits: number
  readonly pauses: number
  readonly sourceKills: number
}

/** From the smoke run to the full run; a smaller run than the smoke run has fewer. */
export function faultCounts(events: number): FaultCounts {
  const between = (small: number, smoke: number, full: number): number =>
    events < 5_000 ? small : Math.round(smoke + (full - smoke) * Math.min(1, (events - 5_000) / 95_000))
  return {
    kills: between(5, 8, 50),
    brokerBounces: between(1, 1, 10),
    postgresKills: between(1, 1, 15),
    droppedCommits: between(5, 20, 200),
    pauses: between(1, 1, 6),
    sourceKills: between(1, 1, 6),
  }
}

/** Where a process dies, and how often it passes there for one event, roughly. */
const points = {
  counter: [
    [failpoint.received, 1],
    [failpoint.claimed, 1],
    [failpoint.beforeCommit, 1],
    [failpoint.afterCommit, 1],
    [failpoint.outboxAfterCommit, 1],
    [failpoint.outboxAfterPublish, 0.2],
  ],
  banker: [
    [failpoint.stepAfterStart, 1.2],
    [failpoint.stepAfterRun, 1.2],
    [failpoint.beforeCommit, 1],
    [failpoint.afterCommit, 1],
    [failpoint.afterAccept, 1],
    [failpoint.outboxAfterPublish, 0.2],
  ],
  'outbox-sync': [
    [failpoint.laneAfterClaim, 1],
    [failpoint.outboxAfterPublish, 0.002],
  ],
} as const

export const killable = ['counter-1', 'banker-1', 'counter-2', 'banker-2', 'outbox-sync'] as const

export function planFaults({ events, seed, log, counts = faultCounts(events) }: FaultPlanOptions): FaultPlan {
  const random = seededRandom(seed ^ 0x5eed)
  const timed = [
    ...several(log === 'kafka' ? counts.brokerBounces : 0, 'bounce the broker'),
    ...several(counts.postgresKills, 'kill Postgres at once'),
    ...several(counts.droppedCommits, 'drop the answer to a COMMIT'),
    ...several(counts.pauses, 'pause a process past its lease'),
    ...several(counts.sourceKills, 'kill the source'),
  ]
  const times = random.shuffle(timed).map((kind, index): TimedFault => ({
    kind,
    after: 0.05 + (0.8 * (index + random.next())) / timed.length,
    pick: random.between(0, 1_000),
  }))
  return { arms: planArms(counts.kills, events, random), timed: times }
}

const several = (count: number, kind: FaultKind): readonly FaultKind[] => Array.from({ length: count }, () => kind)

function planArms(kills: number, events: number, random: SeededRandom): FaultPlan['arms'] {
  const arms = new Map<string, string[]>()
  const next = new Map(
    Object.entries(points).map(([name, ofFunction]) => [name, random.shuffle<readonly [string, number]>(ofFunction)]),
  )
  const lives = Math.ceil(kills / killable.length) + 1
  for (let kill = 0; kill < kills; kill += 1) {
    const process = killable[kill % killable.length] ?? 'counter-1'
    const name = process.replace(/-\d$/, '')
    const ofFunction = next.get(name) ?? []
    const [point = '', passes = 1] =
      ofFunction[Math.floor(kill / killable.length + (process.endsWith('2') ? 3 : 0)) % ofFunction.length] ?? []
    const instances = name === 'outbox-sync' ? 1 : 2
    const expected = (events * passes * 0.6) / instances / lives
    const at = Math.max(1, Math.round(expected * (0.3 + 0.5 * random.next())))
    arms.set(process, [...(arms.get(process) ?? []), `${point}=kill@${at}`])
  }
  return arms
}

export const describePlan = ({ arms, timed }: FaultPlan): readonly string[] => [
  ...[...arms].map(([process, points]) => `  ${process} dies at ${points.join(', then at ')}`),
  ...timed.map(({ kind, after }) => `  after ${(after * 100).toFixed(0)} % of the sends: ${kind}`),
]
