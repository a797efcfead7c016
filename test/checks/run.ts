// `npm run check`: every check at once, each with what it read and how long it took. Code 1 when one failed.
//   npm run check -- lint types     only those whose name contains one of the words

import { projectRoot } from '../support/places.ts'
import { judge, type Verdict } from './check.ts'
import { checks } from './checks.ts'

const words = process.argv.slice(2)
const chosen = words.length === 0 ? checks : checks.filter(({ name }) => words.some((word) => name.includes(word)))
if (chosen.length === 0) {
  console.error(
    `npm run check: no check is called ${words.join(' or ')}; there are ${checks.map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}

const started = performance.now()
const verdicts = await Promise.all(
  chosen.map(async (check) => {
    const verdict = await judge(check, projectRoot)
    console.log(lineOf(verdict))
    return verdict
  }),
)
const failed = verdicts.filter(({ passed }) => !passed)
for (const { name, output } of failed) console.log(`\n── ${name} ──\n${output.trim()}`)
const seconds = ((performance.now() - started) / 1_000).toFixed(1)
console.log(`\n${verdicts.length - failed.length} of ${verdicts.length} checks passed in ${seconds} s`)
process.exitCode = failed.length === 0 ? 0 : 1

function lineOf({ name, passed, read, what, ms }: Verdict): string {
  return `${passed ? '✔' : '✖'} ${name.padEnd(30)} ${`${read} ${what}`.padEnd(16)} ${(ms / 1_000).toFixed(1)} s`
}
