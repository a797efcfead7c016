// `npm run test:conformance -- DIR`: the KafkaSource twin against a folder of captures of the real dispatcher. Prints every
// difference, then `N passed, N failed`. Exit code 0: something was read and nothing differs; 1: not so.
//
//   npm run test:conformance                        the project's own captures
//   npm run test:conformance -- path/to/captures    others in the same format (kafka-source/README.md)
//   npm run test:conformance -- DIR --only status   files whose name contains the word

import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readCaptures } from './capture.ts'
import { checkCapture } from './check-capture.ts'
import type { Difference } from './differences.ts'

const shownDifferences = 20
const shownCharacters = 400

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' } },
})
const folder = resolve(positionals[0] ?? join(import.meta.dirname, 'kafka-source'))
const captures = readCaptures(folder).filter(({ file }) => file.includes(values.only))

let failed = 0
for (const capture of captures) {
  const differences = await checkCapture(capture)
  if (differences.length === 0) continue
  failed += 1
  console.log(`✗ ${capture.file}`)
  for (const difference of differences.slice(0, shownDifferences)) console.log(shown(difference))
  if (differences.length > shownDifferences) console.log(`    … and ${differences.length - shownDifferences} more`)
}
if (captures.length === 0) console.log(`${folder} has no captures`)
console.log(`${captures.length - failed} passed, ${failed} failed`)
process.exitCode = captures.length > 0 && failed === 0 ? 0 : 1

function shown({ path, expected, got }: Difference): string {
  return `    ${path}\n        expected ${text(expected)}\n        got      ${text(got)}`
}

function text(value: unknown): string {
  const whole = JSON.stringify(value) ?? 'nothing'
  return whole.length > shownCharacters ? `${whole.slice(0, shownCharacters)}…` : whole
}
