// The KafkaSource twin against every capture of the real dispatcher, and proof that the check bites.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '../support/index.ts'
import { captureOf, readCaptures, type Capture } from './capture.ts'
import { checkCapture } from './check-capture.ts'
import type { Difference } from './differences.ts'

const folder = join(import.meta.dirname, 'kafka-source')
const captures = readCaptures(folder)

const described = ({ file, ...capture }: Capture): string =>
  'content' in capture && 'description' in capture.content ? `${file}: ${capture.content.description}` : file

test('there are captures to compare with', () => assert.ok(captures.length > 200, `${captures.length} captures`))

for (const capture of captures) {
  test(described(capture), async () => assert.deepEqual(await checkCapture(capture), []))
}

/** The paths of what differs once `change` was made in a file. */
async function changed(file: string, change: readonly [from: string | RegExp, to: string]): Promise<readonly string[]> {
  const text = readFileSync(join(folder, file), 'utf8')
  const other = text.replace(...change)
  assert.notEqual(other, text, 'the breach was planted')
  return (await checkCapture(captureOf(file, other))).map(({ path }: Difference) => path)
}

const breaches: readonly (readonly [what: string, file: string, change: readonly [RegExp, string], path: RegExp])[] = [
  ['a header value', 'ce-binary.json', [/"ce-subject", "o-1"/, '"ce-subject", "o-2"'], /^requests\[0\]\.rawHeaders/],
  [
    'the order of headers',
    'raw-json-no-headers.json',
    [/\["Prefer", "reply"\],\s*(\["Kn-Namespace", "shop"\],)/, '$1 ["Prefer", "reply"],'],
    /rawHeaders/,
  ],
  ['the body', 'ce-structured-whitespace.json', [/"bodyBase64": "e/, '"bodyBase64": "f'], /bodyBase64/],
  [
    'whether the offset was committed',
    'raw-header-01.json',
    [/"committed": true/, '"committed": false'],
    /^committed$/,
  ],
  ['the status of a final answer', 'delivery-status-401.json', [/"status": 401/, '"status": 503'], /sequence/],
  ['the delay before a retry', 'delivery-backoff-linear.json', [/"atMs": 1141/, '"atMs": 1900'], /sequence\[4\]\.atMs/],
  ['the number of retries', 'delivery-backoff-exponential.json', [/"retry": 5/, '"retry": 4'], /sequence/],
  [
    'a fact of the dead letter',
    'delivery-kne-headers.json',
    [/"ce-reason", "schema"/, '"ce-reason", "other"'],
    /^deadLetterRequest/,
  ],
  [
    'the trace of a request',
    'delivery-trace-unordered.json',
    [/"traceparent": "00-00000000000000000000000000000012/, '"traceparent": "00-00000000000000000000000000000001'],
    /traceparent/,
  ],
  [
    'what a restart sends again',
    'delivery-restart-sigkill-before-commit.json',
    [/"sinkRequests": 20/, '"sinkRequests": 10'],
    /sinkRequests/,
  ],
  [
    'what the parser of the sink refuses',
    'raw-header-20k.json',
    [/"status": 431/, '"status": 400'],
    /refusedByHttpParser/,
  ],
  [
    'the ceiling of an ordered source',
    'throughput.json',
    [/"perSecond": 252/, '"perSecond": 900'],
    /results\[1\]\.perSecond/,
  ],
]

for (const [what, file, change, path] of breaches) {
  test(`a capture fails when it says something else about ${what}`, async () => {
    const paths = await changed(file, change)
    assert.ok(
      paths.some((one) => path.test(one)),
      paths.join(', ') || 'nothing differs',
    )
  })
}

test('what is no capture fails', async () => {
  for (const text of ['no JSON', '{}', '[]', '{"record":{}}'])
    assert.notEqual((await checkCapture(captureOf('x.json', text))).length, 0, text)
})

interface Run {
  readonly code: number
  readonly output: string
}

function run(t: TestContext, directory: string): Promise<Run> {
  const args = [join(import.meta.dirname, 'run-captures.ts'), directory]
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    )
    t.after(() => void child.kill())
  })
}

test('the command runs any folder, prints each difference and ends with the counts', async (t) => {
  const directory = temporaryFolder(t)
  for (const file of ['raw-json-no-headers.json', 'ce-binary.json']) cpSync(join(folder, file), join(directory, file))
  assert.deepEqual(await run(t, directory), { code: 0, output: '2 passed, 0 failed\n' })

  const file = join(directory, 'ce-binary.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"ce-subject", "o-1"', '"ce-subject", "o-2"'))
  const { code, output } = await run(t, directory)
  assert.equal(code, 1)
  assert.match(
    output,
    /✗ ce-binary\.json\n {4}requests\[0\]\.rawHeaders\[\d+\]\[1\]\n {8}expected "o-2"\n {8}got {6}"o-1"\n/,
  )
  assert.match(output, /\n1 passed, 1 failed\n$/)
})

test('a folder without captures is a failure, not a success about nothing', async (t) => {
  const { code, output } = await run(t, temporaryFolder(t))
  assert.equal(code, 1)
  assert.match(output, /has no captures\n0 passed, 0 failed\n$/)
})
