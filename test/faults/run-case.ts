// One run of one case, from the fault to the verdict.

import { messageOf } from '../../shared/errors/index.ts'
import type { Fault, FaultCase } from './case.ts'
import type { World } from './world/world.ts'

export interface CaseResult {
  readonly failures: readonly string[]
  readonly proofs: readonly string[]
  readonly notes: readonly string[]
  readonly seconds: number
  /** It was not over in its time, and whatever it does still goes on. */
  readonly overran: boolean
}

export interface RunCaseDeps {
  readonly world: () => Promise<World>
  readonly full: boolean
}

const defaultLimitMs = 60_000

export async function runCase(one: FaultCase, { world, full }: RunCaseDeps): Promise<CaseResult> {
  const proofs: string[] = []
  const notes: string[] = []
  const failures: string[] = []
  const cleanUps: (() => unknown)[] = []
  let used: World | undefined
  const limit = createLimit(one.limitMs ?? defaultLimitMs)
  let begun = performance.now()
  const fault: Fault = {
    world: async () => {
      const asked = performance.now()
      used ??= await limit.without(world())
      begun += performance.now() - asked // a world that starts is not the time of a case
      return used
    },
    proven: (proof) => void proofs.push(proof),
    note: (measure) => void notes.push(measure),
    atEnd: (cleanUp) => void cleanUps.push(cleanUp),
    full,
    signal: limit.signal,
  }
  const attempt = async (what: string, work: () => unknown): Promise<void> => {
    try {
      await work()
    } catch (error) {
      failures.push(what === '' ? messageOf(error) : `${what}: ${messageOf(error)}`)
    }
  }

  await attempt('', () => Promise.race([one.run(fault), limit.over]))
  limit.end()
  if (proofs.length === 0) failures.push('the fault is not proven: nothing shows that it happened')
  for (let next = cleanUps.pop(); next !== undefined; next = cleanUps.pop()) await attempt('clean-up', next)
  const shared = used
  if (shared !== undefined) {
    await attempt('I13 it heals', async () => notes.push(await shared.heals()))
    await attempt('I1, I4 nothing is lost, order holds', async () => notes.push(await shared.traffic.judged()))
    await attempt('I12 it stays bounded', async () => notes.push(await shared.bounds.judged()))
  }
  const seconds = (performance.now() - begun) / 1_000
  return { failures, proofs, notes, seconds, overran: limit.signal.aborted }
}

interface Limit {
  readonly signal: AbortSignal
  /** Rejects when the time is over. */
  readonly over: Promise<never>
  /** Waits for something that does not count. */
  without<T>(work: Promise<T>): Promise<T>
  end(): void
}

function createLimit(ms: number): Limit {
  const abort = new AbortController()
  const { promise: over, reject } = Promise.withResolvers<never>()
  over.catch(() => undefined)
  const late = (): void => {
    abort.abort()
    reject(new Error(`not over within ${ms / 1_000} s`))
  }
  let timer = setTimeout(late, ms)
  return {
    signal: abort.signal,
    over,
    without: async (work) => {
      clearTimeout(timer)
      const result = await work
      timer = setTimeout(late, ms)
      return result
    },
    end: () => clearTimeout(timer),
  }
}
