// `npm run test:faults`: the fault suite.
//
//   npm run test:faults                    the smoke run: every fault once
//   npm run test:faults -- --only F8       one fault family; several: F8,F11
//   npm run test:faults -- --full          all cases, each as often as it asks for, at full length
//   npm run test:faults -- --log postgres  without Kafka; what needs it is left out
//   npm run test:faults -- --again         what fails runs once more in a world of its own; when it passes then, it is named unsteady
//   npm run test:faults -- --list          what there is
//
// A line for each fault: what, proof, measures, seconds. The last line is `N passed, N failed`. Exit code 0: nothing failed;
// 1: something did; 2: called wrongly.

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
  readonly log: 'kafka' | 'postgres'
  readonly again: boolean
}

function planRun(): Plan | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      full: { type: 'boolean', default: false },
      log: { type: 'string', default: 'kafka' },
      again: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  })
  const { only, full, log, again, list } = values
  if (log !== 'kafka' && log !== 'postgres') throw new Error(`--log ${log}: kafka or postgres`)
  const wanted = only?.split(',')
  const unknown = wanted?.filter((id) => !faultCases.some((one) => one.id === id)) ?? []
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: there is no such fault; --list shows all`)
  const cases = faultCases.filter((one) => wanted?.includes(one.id) ?? (full || one.fullOnly !== true))
  if (!list) return { cases, full, log, again }
  for (const { id, title, fullOnly } of faultCases)
    print(`${id.padEnd(4)} ${title}${fullOnly === true ? '  (--full)' : ''}`)
  return undefined
}

async function main(plan: Plan): Promise<boolean> {
  let started: Promise<World> | undefined
  const world = (): Promise<World> => (started ??= startWorld({ log: plan.log, print }))
  const nextWorld = async (): Promise<void> => {
    const last = started
    started = undefined
    await (await last)?.stop()
  }
  const unsteady: string[] = []
  let [passed, failed] = [0, 0]
  const begun = performance.now()
  try {
    for (const one of plan.cases) {
      if (one.needs === 'kafka' && (await world()).kafka === undefined) {
        const isFailure = process.env['CI'] === 'true' && plan.log === 'kafka'
        if (isFailure) failed += 1
        print(`${isFailure ? 'FAILED' : 'left out'}  ${one.id} ${one.title}: there is no Kafka broker here`)
        continue
      }
      const repeats = plan.full ? (one.repeats ?? defaultRepeats) : 1
      for (let time = 1; time <= repeats; time += 1) {
        const numbered = repeats === 1 ? '' : ` [${time}/${repeats}]`
        let result = await runCase(one, { world, full: plan.full })
        show(one, result, numbered)
        if (result.failures.length > 0 && plan.again) {
          await nextWorld()
          result = await runCase(one, { world, full: plan.full })
          show(one, result, `${numbered} again`)
          if (result.failures.length === 0) unsteady.push(`${one.id} ${one.title}`)
        }
        if (result.failures.length === 0) passed += 1
        else failed += 1
        if (result.overran) await nextWorld() // what overran may still be at it
      }
    }
  } finally {
    const stopped = await started?.then((one) => one.stop()).catch((error: unknown) => messageOf(error))
    if (typeof stopped === 'string') print(`the world did not stop cleanly: ${stopped}`)
  }
  print(`\n${((performance.now() - begun) / 1_000).toFixed(0)} s`)
  for (const what of unsteady) print(`Unsteady: ${what}`)
  print(`${passed} passed, ${failed} failed`)
  return passed > 0 && failed === 0
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
