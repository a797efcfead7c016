// Runs checks and prints each with what it read and how long it took, or why it cannot run here; then what the failed ones found.

import { isSkipped, judge, type Check, type Skipped, type Verdict } from './check.ts'

export interface RunChecksOptions {
  readonly root: string
  /** Only those whose name contains one of them; all when there is none. */
  readonly words: readonly string[]
  /** The npm script, for messages. */
  readonly command: string
  /** Not all at once: each takes the whole machine. */
  readonly oneByOne?: boolean
}

/** The exit code: 0 when none failed, 1 when one did, 2 when a word is in no check's name. */
export async function runChecks(checks: readonly Check[], options: RunChecksOptions): Promise<number> {
  const { root, words, command, oneByOne = false } = options
  const unknown = words.filter((word) => !checks.some(({ name }) => name.includes(word)))
  if (unknown.length > 0) {
    const names = checks.map(({ name }) => name).join(', ')
    console.error(`npm run ${command}: no check is called ${unknown.join(' or ')}; there are ${names}`)
    return 2
  }
  const chosen = words.length === 0 ? checks : checks.filter(({ name }) => words.some((word) => name.includes(word)))
  const started = performance.now()
  const results: Result[] = []
  const judgeAndPrint = async (check: Check): Promise<void> => {
    const result = { check, verdict: await judge(check, root) }
    results.push(result)
    console.log(lineOf(result))
  }
  if (oneByOne) for (const check of chosen) await judgeAndPrint(check)
  else await Promise.all(chosen.map(judgeAndPrint))

  let [passed, failed, skipped] = [0, 0, 0]
  for (const { check, verdict } of results) {
    if (isSkipped(verdict)) skipped += 1
    else if (verdict.passed) passed += 1
    else {
      failed += 1
      console.log(`\n── ${check.name} ──\n${verdict.output.trim()}`)
    }
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const left = skipped === 0 ? '' : `, ${skipped} skipped,`
  console.log(`\n${passed} of ${chosen.length} checks passed${left} in ${seconds} s`)
  return failed === 0 ? 0 : 1
}

interface Result {
  readonly check: Check
  readonly verdict: Verdict | Skipped
}

function lineOf({ check: { name, what }, verdict }: Result): string {
  if (isSkipped(verdict)) return `– ${name.padEnd(38)} skipped: ${verdict.skipped}`
  const { passed, read, ms } = verdict
  return `${passed ? '✔' : '✖'} ${name.padEnd(38)} ${`${read} ${what}`.padEnd(18)} ${(ms / 1_000).toFixed(1)} s`
}
