// One run of one case, from the fault to the verdict.

import { messageOf } from '../../shared/errors/index.ts'
import type { Fault, FaultCase } from './case.ts'
import type { World } from './world/world.ts'

export interface CaseResult {
  readonly failures: readonly string[]
  readonly proofs: readonly string[]
  readonly notes: readonly string[]
  readonly seconds: number
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
  const limitMs = one.limitMs ?? defaultLimitMs
  const signal = AbortSignal.timeout(limitMs)
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1_000
  const fault: Fault = {
    world: async () => (used ??= await world()),
    proven: (proof) => void proofs.push(proof),
    note: (measure) => void notes.push(measure),
    atEnd: (cleanUp) => void cleanUps.push(cleanUp),
    full,
    signal,
  }
  const attempt = async (what: string, work: () => unknown): Promise<void> => {
    try {
      await work()
    } catch (error) {
      failures.push(what === '' ? messageOf(error) : `${what}: ${messageOf(error)}`)
    }
  }

  await attempt('', () => Promise.race([one.run(fault), over(signal, limitMs)]))
  if (proofs.length === 0) failures.push('the fault is not proven: nothing shows that it happened')
  for (let next = cleanUps.pop(); next !== undefined; next = cleanUps.pop()) await attempt('clean-up', next)
  const shared = used as World | undefined
  if (shared !== undefined) {
    await attempt('I13 it heals', async () => notes.push(await shared.heals()))
    await attempt('I1, I4 nothing is lost, order holds', async () => notes.push(await shared.traffic.judged()))
    await attempt('I12 it stays bounded', async () => notes.push(await shared.bounds.judged()))
  }
  return { failures, proofs, notes: notes.filter((note) => note !== ''), seconds: seconds() }
}

const over = (signal: AbortSignal, limitMs: number): Promise<never> =>
  new Promise((_, reject) => {
    const late = (): void => reject(new Error(`not over within ${limitMs / 1_000} s`))
    signal.addEventListener('abort', late, { once: true })
  })
