// Does the faults of a plan when their time has come, and proves each: a fault that cannot be shown to have happened makes the
// run worthless, not green.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import type { KeptProcess } from '../rig/kept-process.ts'
import type { Rig } from '../rig/rig.ts'
import type { FaultPlan, TimedFault } from './plan-faults.ts'

export interface Nemesis {
  /** To be called again and again with the share of the sends that are made. */
  advance(share: number): void
  /** Processes whose failpoint was not reached are killed where they are. */
  killTheUnfired(): void
  /** Resolves when every fault is over. */
  settled(): Promise<void>
}

export interface FaultReport {
  readonly what: string
  readonly proof: string
}

export interface NemesisDeps {
  readonly rig: Rig
  readonly onFault: (report: FaultReport) => void
  readonly onUnproven: (what: string, error: unknown) => void
}

/** Longer than the lease of a lane (15 s). */
const pauseMs = 18_000
const brokerDownMs = 2_000

export function createNemesis({ timed }: FaultPlan, { rig, onFault, onUnproven }: NemesisDeps): Nemesis {
  const waiting = [...timed].toSorted((a, b) => a.after - b.after)
  const running = new Set<Promise<void>>()
  const queues = new Map<string, Promise<unknown>>()

  function begin(fault: TimedFault): void {
    const what = fault.kind
    const queue = queueOf[what]
    const doing = (queues.get(queue) ?? Promise.resolve()).then(() => acts[what](rig, fault))
    queues.set(
      queue,
      doing.catch(() => undefined),
    )
    const ended = doing
      .then(
        (proof) => onFault({ what, proof }),
        (error: unknown) => onUnproven(what, error),
      )
      .finally(() => running.delete(ended))
    running.add(ended)
  }

  /** Not while it stands still: that is a fault of its own, and has to last. */
  async function killUnfired(kept: KeptProcess): Promise<void> {
    while (stateOf(kept.pid()) === 'T') await sleep(100)
    if (kept.armsLeft() > 0) kept.kill('SIGKILL, its failpoint was not reached')
  }

  return {
    advance: (share) => {
      for (let [next] = waiting; next !== undefined && next.after <= share; [next] = waiting) {
        waiting.shift()
        begin(next)
      }
    },
    killTheUnfired: () => {
      for (const kept of rig.processes.values()) {
        const killing = killUnfired(kept).finally(() => running.delete(killing))
        running.add(killing)
      }
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

/** Faults of one queue come one after the other: with both servers away a run would only wait longer, and one pause would end another. */
const queueOf: Readonly<Record<TimedFault['kind'], 'servers' | 'commits' | 'pauses' | 'source'>> = {
  'bounce the broker': 'servers',
  'kill Postgres at once': 'servers',
  'drop the answer to a COMMIT': 'commits',
  'pause a process past its lease': 'pauses',
  'kill the source': 'source',
}

type Act = (rig: Rig, fault: TimedFault) => Promise<string>

const acts: Readonly<Record<TimedFault['kind'], Act>> = {
  'bounce the broker': async ({ broker }) => {
    if (broker === undefined) throw new Error('there is no broker')
    const before = broker.pid
    await broker.bounce({ downMs: brokerDownMs })
    return changed('broker', before, broker.pid)
  },
  'kill Postgres at once': async ({ postgres, database }) => {
    const before = postgres.pid()
    await postgres.kill()
    await postgres.startAgain()
    const { rows } = await until('Postgres answers', () =>
      database.query<{ at: string }>('SELECT pg_postmaster_start_time()::text AS at'),
    )
    return `${changed('postmaster', before, postgres.pid())}, up since ${rows[0]?.at}`
  },
  'drop the answer to a COMMIT': async ({ proxy }) => {
    const dropped = await Promise.race([proxy.dropCommit(), sleep(60_000, undefined, { ref: false })])
    if (dropped === undefined) throw new Error('no COMMIT came within 60 s')
    return `the server said COMMIT to ${dropped}, which saw a reset`
  },
  'pause a process past its lease': async ({ processes, balancers }, { pick }) => {
    const [function_, { balancer, ports }] = [...balancers][pick % balancers.size] ?? nothingTo('pause')
    const instance = pick % ports.length
    const kept = processes.get(`${function_}-${instance + 1}`) ?? nothingTo('pause')
    const pid = await until(`${kept.name} stands still`, () => stopped(kept), { limitMs: 20_000, everyMs: 100 })
    balancer.takeOut(ports[instance] ?? 0)
    await sleep(pauseMs)
    const still = stateOf(pid)
    kept.signal('SIGCONT')
    balancer.putIn(ports[instance] ?? 0)
    if (still !== 'T') throw new Error(`${kept.name} did not stand still to the end: ${still}`)
    return `${kept.name} stood still for ${pauseMs / 1_000} s and woke`
  },
  'kill the source': async ({ processes }) => {
    const kept = processes.get('source') ?? nothingTo('kill')
    const before = kept.pid()
    kept.kill('SIGKILL')
    await until('the source is started anew', () => kept.pid() !== before, { limitMs: 20_000 })
    return changed('source', before, kept.pid())
  },
}

/** The process that stands still now; a kill may have come first. */
function stopped(kept: KeptProcess): number | undefined {
  const pid = kept.pid()
  kept.signal('SIGSTOP')
  return stateOf(pid) === 'T' ? pid : undefined
}

function changed(what: string, before: number, after: number): string {
  if (before === after || stateOf(before) !== '') throw new Error(`${what} ${before} is still there`)
  return `${what} ${before} is gone, ${after} came`
}

function nothingTo(act: string): never {
  throw new Error(`there is nothing to ${act}`)
}

/** The letter of a process's state; empty when there is none. */
function stateOf(pid: number): string {
  try {
    return /^\d+ \(.*\) (\w)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? ''
  } catch {
    return ''
  }
}
