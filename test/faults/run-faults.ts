// `npm run test:faults`: the fault suite.
//
//   npm run test:faults                    the smoke run: every fault once
//   npm run test:faults -- --only F8       one fault family; several: F8,F11
//   npm run test:faults -- --full          all cases, each as often as it asks for, at full length
//   npm run test:faults -- --full --once   all cases at full length, each once
//   npm run test:faults -- --log postgres  without Kafka; what needs it is left out
//   npm run test:faults -- --again         what fails runs once more in a world of its own, and is unsteady when it passes then
//   npm run test:faults -- --list          what there is
//
// A line for each case: what, proof, measures, seconds. At the end how long each fault took, then `N passed, N failed`.
// Exit code 0: nothing failed; 1: something did; 2: called wrongly.

import { parseArgs } from 'node:util'
import { messageOf } from '../../shared/errors/index.ts'
import type { FaultCase } from './case.ts'
import { faultCases } from './cases/index.ts'
import { runCase, type CaseResult } from './run-case.ts'
import { startWorld, type World } from './world/world.ts'

const print = (line: string): void => console.log(line)
const defaultRepeats = 3

interface Plan {
  readonly cases: readonly FaultCase[]
  readonly full: boolean
  /** Also where a case asks to be repeated. */
  readonly once: boolean
  readonly log: 'kafka' | 'postgres'
  readonly again: boolean
}

function planRun(): Plan | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      full: { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
      log: { type: 'string', default: 'kafka' },
      again: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  })
  const { only, full, once, log, again, list } = values
  if (log !== 'kafka' && log !== 'postgres') throw new Error(`--log ${log}: kafka or postgres`)
  const wanted = only?.split(',')
  const unknown = wanted?.filter((id) => !faultCases.some((one) => one.id === id)) ?? []
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: there is no such fault; --list shows all`)
  const cases = faultCases.filter((one) => wanted?.includes(one.id) ?? (full || one.fullOnly !== true))
  if (!list) return { cases, full, once, log, again }
  for (const { id, title, fullOnly } of faultCases)
    print(`${id.padEnd(4)} ${title}${fullOnly === true ? '  (--full)' : ''}`)
  return undefined
}

interface Tally {
  passed: number
  failed: number
  readonly unsteady: string[]
  /** By fault, healing included. */
  readonly seconds: Map<string, number>
}

async function main(plan: Plan): Promise<boolean> {
  const shared = createSharedWorld(plan)
  const tally: Tally = { passed: 0, failed: 0, unsteady: [], seconds: new Map() }
  const begun = performance.now()
  let beside = Promise.resolve()
  try {
    for (const one of plan.cases) {
      const running = (): Promise<void> => runOften(one, plan, { shared, tally })
      // The full run has time, and its load is not to be another case's fault.
      if (one.apart === true && !plan.full) beside = beside.then(running)
      else await running()
    }
    await beside
  } finally {
    await shared.end().catch((error: unknown) => print(`the world did not stop cleanly: ${messageOf(error)}`))
  }
  const times = [...tally.seconds].map(([id, seconds]) => `${id} ${seconds.toFixed(0)} s`)
  print(`\n${((performance.now() - begun) / 1_000).toFixed(0)} s: ${times.join(', ')}`)
  for (const what of tally.unsteady) print(`Unsteady: ${what}`)
  print(`${tally.passed} passed, ${tally.failed} failed`)
  return tally.passed > 0 && tally.failed === 0
}

interface SharedWorld {
  /** Started by the first who asks. */
  world(): Promise<World>
  /** Ends it; who asks then gets another one. */
  end(): Promise<void>
}

function createSharedWorld({ log }: Plan): SharedWorld {
  let started: Promise<World> | undefined
  return {
    world: () => (started ??= startWorld({ log, print })),
    end: async () => {
      const last = started
      started = undefined
      await (await last)?.stop()
    },
  }
}

interface Running {
  readonly shared: SharedWorld
  readonly tally: Tally
}

async function runOften(one: FaultCase, plan: Plan, { shared, tally }: Running): Promise<void> {
  const { id, title } = one
  if (one.needs === 'kafka' && (await shared.world()).kafka === undefined) {
    const isFailure = process.env['CI'] === 'true' && plan.log === 'kafka'
    if (isFailure) tally.failed += 1
    print(`${isFailure ? 'FAILED' : 'left out'}  ${id} ${title}: there is no Kafka broker here`)
    return
  }
  const runOnce = async (which: string): Promise<CaseResult> => {
    const result = await runCase(one, { world: shared.world, full: plan.full })
    tally.seconds.set(id, (tally.seconds.get(id) ?? 0) + result.seconds)
    show(one, result, which)
    return result
  }
  const repeats = plan.full && !plan.once ? (one.repeats ?? defaultRepeats) : 1
  for (let time = 1; time <= repeats; time += 1) {
    const numbered = repeats === 1 ? '' : ` [${time}/${repeats}]`
    let result = await runOnce(numbered)
    if (result.failures.length > 0 && plan.again) {
      if (one.apart !== true) await shared.end()
      result = await runOnce(`${numbered} again`)
      if (result.failures.length === 0) tally.unsteady.push(`${id} ${title}`)
    }
    if (result.failures.length === 0) tally.passed += 1
    else tally.failed += 1
    if (result.overran && one.apart !== true) await shared.end() // what overran may still be at it
  }
}

function show({ id, title }: FaultCase, { failures, proofs, notes, seconds }: CaseResult, time: string): void {
  const verdict = failures.length === 0 ? 'passed' : 'FAILED'
  const facts = [`proof: ${proofs.join(', ') || 'none'}`, ...notes]
  print(`${verdict}  ${id}${time} ${title}  (${facts.join('; ')}; ${seconds.toFixed(1)} s)`)
  for (const failure of failures) print(failure.replaceAll(/^/gm, '          '))
}

try {
  const plan = planRun()
  process.exit(plan === undefined || (await main(plan)) ? 0 : 1)
} catch (error) {
  console.error(`npm run test:faults: ${messageOf(error)}`)
  process.exit(2)
}
