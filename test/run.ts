// `npm test`: runs the test files, each in a process of its own, with the real servers they share started on first need.
//
//   npm test                          everything
//   npm test -- shared/delivery       files whose path contains one of the words
//   npm test -- --grep 'parked'       tests whose title matches the expression
//   npm test -- --concurrency 1       files at once (default: the number of cores, 2 to 4)
//   npm test -- --minutes 5           limit of the whole run (default 25)
//   npm test -- --file-minutes 1      limit of one file (default 5)
//   npm test -- --again               a file that failed runs once more, alone, and is named unsteady when it passes then
//   npm test -- --files 'test/fixtures/run/*.ts'   other files than test/**/*.test.ts
//
// The last line is `N passed, N failed, N skipped`. Exit code 0: something ran and nothing failed; 1: not so; 2: called wrongly.

import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { projectRoot } from './support/places.ts'
import { fileLines, summaryLines, sumsOf } from './support/run/print-results.ts'
import { runFile, type FileResult } from './support/run/run-file.ts'
import { serveServices } from './support/services/services-over-http.ts'
import { createTestServices } from './support/services/services.ts'

const stopLimitMs = 30_000
/** More failures than these are no accident of timing: nothing runs again then. */
const mostAgain = 5

interface Plan {
  readonly files: readonly string[]
  readonly concurrency: number
  readonly limitMs: number
  readonly fileLimitMs: number
  readonly grep: string | undefined
  readonly again: boolean
}

function planRun(args: readonly string[]): Plan {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      again: { type: 'boolean', default: false },
      concurrency: { type: 'string', default: String(Math.min(4, Math.max(2, availableParallelism()))) },
      files: { type: 'string', default: 'test/**/*.test.ts' },
      'file-minutes': { type: 'string', default: '5' },
      grep: { type: 'string' },
      minutes: { type: 'string', default: '25' },
    },
  })
  const all = globSync(values.files, { cwd: projectRoot }).toSorted()
  const words = positionals.map((word) => word.replace(/^\.\//, ''))
  const fits = (file: string): boolean =>
    words.some((word) => (word.startsWith('test/') ? file.startsWith(word) : file.includes(word)))
  const files = words.length === 0 ? all : all.filter(fits)
  if (files.length === 0)
    throw new Error(
      `none of ${all.length} test files has ${words.join(' or ')} in its path (looked for ${values.files})`,
    )
  return {
    files,
    concurrency: positive('concurrency', values.concurrency),
    limitMs: positive('minutes', values.minutes) * 60_000,
    fileLimitMs: positive('file-minutes', values['file-minutes']) * 60_000,
    grep: values.grep,
    again: values.again,
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new Error(`--${name} ${text}: a positive number is needed`)
}

async function runPlan({ files, concurrency, limitMs, fileLimitMs, grep, again }: Plan): Promise<boolean> {
  const services = createTestServices()
  const server = await serveServices(services)
  const stop = new AbortController()
  const limit = setTimeout(() => stop.abort(`the run took longer than ${limitMs / 60_000} minutes`), limitMs)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(`of ${signal}`))

  const results: FileResult[] = []
  const waiting = [...files]
  const run = async (file: string): Promise<FileResult> => {
    const env = { ...process.env, TEST_SERVICES_URL: server.url }
    const result = await runFile({ file, cwd: projectRoot, env, limitMs: fileLimitMs, grep, signal: stop.signal })
    if (grep === undefined || result.tests.length > 0) console.log(fileLines(result).join('\n'))
    return result
  }
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined && !stop.signal.aborted; file = waiting.shift()) {
      results.push(await run(file))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const unsteady = again && !stop.signal.aborted ? await runAgain(results, run) : []
  clearTimeout(limit)
  server.close()
  await Promise.race([services.stop(), new Promise((resolve) => setTimeout(resolve, stopLimitMs).unref())])

  const { passed, failed, skipped } = sumsOf(results)
  console.log(summaryLines(results).join('\n'))
  if (unsteady.length > 0) console.log(`\nUnsteady, passed only when run again alone: ${unsteady.join(', ')}`)
  const left = files.length - results.length
  if (stop.signal.aborted)
    console.log(`\nThe run was ended, because ${String(stop.signal.reason)}; ${left} files were not run.`)
  if (passed + failed === 0) console.log('\nNo test was run.')
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
  return passed > 0 && failed === 0 && !stop.signal.aborted
}

/** Runs the files that failed once more, puts what passes in the place of its failure, and returns the names of those. */
async function runAgain(results: FileResult[], run: (file: string) => Promise<FileResult>): Promise<readonly string[]> {
  const failures = results.filter((result) => sumsOf([result]).failed > 0)
  if (failures.length > mostAgain) return []
  const unsteady: string[] = []
  for (const failure of failures) {
    console.log(`\nAgain, alone: ${failure.file}`)
    const result = await run(failure.file)
    if (sumsOf([result]).failed > 0) continue
    results[results.indexOf(failure)] = result
    unsteady.push(failure.file)
  }
  return unsteady
}

try {
  process.exit((await runPlan(planRun(process.argv.slice(2)))) ? 0 : 1)
} catch (error) {
  console.error(`npm test: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(2)
}
