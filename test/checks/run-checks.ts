// Runs checks at once and prints each with what it read and how long it took, then what the failed ones found.

import { judge, type Check, type Verdict } from './check.ts'

export interface RunChecksOptions {
  readonly root: string
  /** Only those whose name contains one of them; all when there is none. */
  readonly words: readonly string[]
  /** The npm script, for messages. */
  readonly command: string
}

/** The exit code: 0 when all passed, 1 when one failed, 2 when no check has such a name. */
export async function runChecks(checks: readonly Check[], { root, words, command }: RunChecksOptions): Promise<number> {
  const chosen = words.length === 0 ? checks : checks.filter(({ name }) => words.some((word) => name.includes(word)))
  if (chosen.length === 0) {
    const names = checks.map(({ name }) => name).join(', ')
    console.error(`npm run ${command}: no check is called ${words.join(' or ')}; there are ${names}`)
    return 2
  }
  const started = performance.now()
  const verdicts = await Promise.all(
    chosen.map(async (check) => {
      const verdict = await judge(check, root)
      console.log(lineOf(verdict))
      return verdict
    }),
  )
  const failed = verdicts.filter(({ passed }) => !passed)
  for (const { name, output } of failed) console.log(`\n── ${name} ──\n${output.trim()}`)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  console.log(`\n${verdicts.length - failed.length} of ${verdicts.length} checks passed in ${seconds} s`)
  return failed.length === 0 ? 0 : 1
}

function lineOf({ name, passed, read, what, ms }: Verdict): string {
  return `${passed ? '✔' : '✖'} ${name.padEnd(36)} ${`${read} ${what}`.padEnd(16)} ${(ms / 1_000).toFixed(1)} s`
}
