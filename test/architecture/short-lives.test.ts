// What an event needs dies young. V8 allocates a function that is written where it is assigned to a property in the old generation:
// made for each event it keeps everything that it can see until the next full collection, and each scavenge carries all of that.
// `const cut = () => …; connection.onCut = cut` does not.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { assertNone, list, read, withoutComments } from './project-files.ts'

/** Once in a process. */
const once = [
  'admissionRunning.collect = ', // gauges, read at a scrape
  'admissionWaiting.collect = ',
  'log.flush = ',
]

const assigned =
  /^\s*(?!(?:export )?(?:const|let) )[^'"`]*(?:\.#?\w+|\]) (?:\?\?)?= (?:async )?(?:function\b|\([^()]*\)(?:: [^=]+)? =>|\w+ =>)/

test('no function on the path of an event is written where it is assigned to a property', () => {
  assert.match('  connection.onCut = () => settle()', assigned)
  assert.match('  this.#abort ??= (reason) => {', assigned)
  assert.match('  waiting[at] = async function () {', assigned)
  assert.doesNotMatch("  const send: Session['query'] = (sql) => sql", assigned)
  const files = list('shared/{database,delivery,events,function,resilience,telemetry,time}/**/*.ts')
  assert.ok(files.length > 100, `only ${files.length} files were read`)
  const found = files.flatMap((file) =>
    withoutComments(read(file))
      .split('\n')
      .filter((line) => assigned.test(line) && !once.some((known) => line.includes(known)))
      .map((line) => `${file}: ${line.trim()}`),
  )
  assertNone(found, 'give it a name of its own first, or list it here when it is made once')
})
