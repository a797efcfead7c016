import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { createLastWords } from '../../../local/runner/last-words.ts'

function wordsOf(lines: readonly string[]): string {
  const words = createLastWords()
  for (const line of lines) words.hear(line)
  return words.text()
}

const crashes: Readonly<Record<string, readonly [code: string, words: string]>> = {
  'an error': ['throw new TypeError("no such thing")', 'TypeError: no such thing'],
  'an error with a code': ['require("no-such-package")', "Error: Cannot find module 'no-such-package'"],
  'a rejection': ['Promise.reject(new RangeError("too far"))', 'RangeError: too far'],
  'a plain line': ['console.error("the port is taken"); process.exit(1)', 'the port is taken'],
  'nothing at all': ['process.exit(1)', ''],
}

for (const [what, [code, words]] of Object.entries(crashes)) {
  test(`of a process that ended by ${what}`, () => {
    const { stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' })
    assert.equal(wordsOf(stderr.split('\n')), words)
  })
}

test('code that cannot be read is told by its error', () => {
  const printed = [
    'file:///x.ts:271',
    '} as const',
    '',
    'SyntaxError [ERR_X]: Expected',
    '    at parse',
    '',
    'Node.js v24.21.0',
  ]
  assert.equal(wordsOf(printed), 'SyntaxError [ERR_X]: Expected')
})
