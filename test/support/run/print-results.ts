// How `npm test` shows results: a line for each file, the titles of its tests below, failures in full, and at the end what was
// skipped and why, what failed, and the sums.

import type { EndedTest } from './ended-test.ts'
import type { FileResult } from './run-file.ts'

const marks = { passed: '✔', failed: '✖', skipped: '﹣' } as const

export interface Sums {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const count = ({ tests }: FileResult, outcome: EndedTest['outcome']): number =>
  tests.filter((test) => !test.isSuite && test.outcome === outcome).length

/** A file in trouble of its own counts as one more failed test. */
export const sumsOf = (results: readonly FileResult[]): Sums => ({
  passed: results.reduce((sum, result) => sum + count(result, 'passed'), 0),
  failed: results.reduce((sum, result) => sum + count(result, 'failed') + (result.trouble === undefined ? 0 : 1), 0),
  skipped: results.reduce((sum, result) => sum + count(result, 'skipped'), 0),
})

const hasFailed = (result: FileResult): boolean => sumsOf([result]).failed > 0

export function fileLines(result: FileResult): readonly string[] {
  const { file, ms, tests, output, trouble } = result
  const mark = hasFailed(result) ? marks.failed : marks.passed
  return [
    `${mark} ${file} (${count(result, 'passed')} passed, ${seconds(ms)})`,
    ...tests.flatMap((test) => testLines(test)),
    ...(trouble === undefined ? [] : [`  ${marks.failed} ${trouble}`]),
    ...output.map((line) => `    | ${line}`),
  ]
}

function testLines({ name, nesting, outcome, text, ms }: EndedTest): readonly string[] {
  const indent = '  '.repeat(nesting + 1)
  const title = `${indent}${marks[outcome]} ${name}`
  if (outcome === 'skipped') return [`${title} – ${text}`]
  if (outcome === 'passed') return [ms < 1_000 ? title : `${title} (${seconds(ms)})`]
  return [title, ...text.split('\n').map((line) => `${indent}    ${line}`)]
}

export function summaryLines(results: readonly FileResult[]): readonly string[] {
  const list = (outcome: EndedTest['outcome'], line: (test: EndedTest) => string): readonly string[] =>
    results.flatMap(({ file, tests }) =>
      tests.filter((test) => test.outcome === outcome).map((test) => `  ${file}: ${line(test)}`),
    )
  const skipped = list('skipped', ({ name, text }) => `${name} – ${text}`)
  const failed = [
    ...list('failed', ({ name }) => name),
    ...results.flatMap(({ file, trouble }) => (trouble === undefined ? [] : [`  ${file}: ${trouble}`])),
  ]
  return [
    ...(skipped.length === 0 ? [] : ['', 'Skipped:', ...skipped]),
    ...(failed.length === 0 ? [] : ['', 'Failed:', ...failed]),
  ]
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
