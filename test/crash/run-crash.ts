// `npm run test:crash`: the crash suite.
//
//   npm run test:crash                                  the smoke run: 5,000 events
//   npm run test:crash -- --events 100000 --seed 3      the full run, with another seed
//   npm run test:crash -- --events 1000 --seeds 1-20    one run for each seed
//   npm run test:crash -- --events 100000 --resume      goes on with a run that was cut short
//   npm run test:crash -- --log postgres                without Kafka
//   npm run test:crash -- --check FOLDER                judges the files of an earlier run again
//
// The last line is `N passed, N failed`. Exit code 0: nothing failed; 1: something did; 2: called wrongly, or no broker.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectCache } from '../support/places.ts'
import { crashRun, judge, type Verdict } from './crash-run.ts'

const print = (line: string): void => console.log(line)

function seedsOf(text: string): readonly number[] {
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  if (first === '') throw new Error(`--seeds ${text}: a number or a range such as 1-20 is needed`)
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index)
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '5000' },
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string' },
      log: { type: 'string', default: 'kafka' },
      rate: { type: 'string', default: '100' },
      check: { type: 'string' },
      resume: { type: 'boolean', default: false },
    },
  })
  const { log } = values
  if (log !== 'kafka' && log !== 'postgres') throw new Error(`--log ${log}: kafka or postgres`)
  const [events, rate] = [Number(values.events), Number(values.rate)]
  if (!(events > 0) || !(rate > 0)) throw new Error('--events and --rate: positive numbers')

  const verdicts: Verdict[] = []
  if (values.check === undefined) {
    for (const seed of seedsOf(values.seeds ?? values.seed)) {
      const folder = join(projectCache, 'crash', `${events}-events-seed-${seed}`)
      const verdict = await crashRun({ events, seed, log, rate, folder, print, resume: values.resume }).catch(
        (error: unknown) => {
          print(`FAILED  the run: ${error instanceof Error ? error.message : String(error)}`)
          return { passed: 0, failed: 1 }
        },
      )
      print(`seed ${seed}: ${verdict.passed} passed, ${verdict.failed} failed`)
      verdicts.push(verdict)
    }
  } else verdicts.push(judge(values.check, print))
  const sum = (count: (verdict: Verdict) => number): number => verdicts.reduce((total, one) => total + count(one), 0)
  const failed = sum((one) => one.failed)
  print(`\n${sum((one) => one.passed)} passed, ${failed} failed`)
  return failed === 0
}

try {
  process.exit((await main()) ? 0 : 1)
} catch (error) {
  console.error(`npm run test:crash: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(2)
}
