import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isAlive, projectRoot, startChild, temporaryFolder } from './support/index.ts'

const limit = { timeout: 60_000 }

async function runTests(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const child = startChild(t, ['test/run.ts', ...args], {
    cwd: projectRoot,
    env: { HOME: process.env['HOME'] ?? '/', TEST_GRACE_MS: '1000', ...env },
  })
  const { code } = await child.exited({ limitMs: 50_000 })
  return { code, output: child.lines.join('\n') }
}

test('the last line has the sums, failures are shown in full and skipped tests with their reason', limit, async (t) => {
  const { code, output } = await runTests(t, ['--files', 'test/fixtures/run/mixed.ts'])
  assert.equal(code, 1)
  assert.match(output, /\n1 passed, 1 failed, 1 skipped$/)
  assert.match(output, /✖ fails\n[^]*1 !== 2/)
  assert.match(output, /Skipped:\n {2}test\/fixtures\/run\/mixed\.ts: is skipped – the moon is not full/)
  assert.match(output, /Failed:\n {2}test\/fixtures\/run\/mixed\.ts: fails/)
})

test('test files reach the servers of the run', limit, async (t) => {
  const { code, output } = await runTests(t, ['--files', 'test/fixtures/run/passing.ts'])
  assert.match(output, /\n1 passed, 0 failed, 0 skipped$/)
  assert.equal(code, 0)
})

test('a file that hangs is ended with everything it started, and counts as failed', limit, async (t) => {
  const { code, output } = await runTests(t, ['--files', 'test/fixtures/run/hanging.ts', '--file-minutes', '0.03'])
  assert.equal(code, 1)
  assert.match(output, /still running after 1\.8 s/)
  assert.match(output, /\n0 passed, 1 failed, 0 skipped$/)
  const started = Number(/started (\d+)/.exec(output)?.[1])
  assert.equal(isAlive(started), false)
})

test('a file that leaves something open is told so when its tests have ended', limit, async (t) => {
  const { code, output } = await runTests(t, ['--files', 'test/fixtures/run/leaking.ts'])
  assert.equal(code, 1)
  assert.match(output, /✖ its tests ended, but its process was kept alive by TCPServerWrap$/m)
  assert.match(output, /\n1 passed, 1 failed, 0 skipped$/)
})

test(
  'with --again a file that passes the second time is named unsteady; one that fails twice has failed',
  limit,
  async (t) => {
    const mark = { TEST_MARK: join(temporaryFolder(t), 'mark') }
    const unsteady = ['--files', 'test/fixtures/run/unsteady.ts']
    const once = await runTests(t, unsteady, { TEST_MARK: join(temporaryFolder(t), 'mark') })
    assert.equal(once.code, 1)
    const twice = await runTests(t, [...unsteady, '--again'], mark)
    assert.match(twice.output, /Unsteady, passed only when run again alone: test\/fixtures\/run\/unsteady\.ts/)
    assert.match(twice.output, /\n1 passed, 0 failed, 0 skipped$/)
    assert.equal(twice.code, 0)
    const broken = await runTests(t, ['--files', 'test/fixtures/run/mixed.ts', '--again'])
    assert.match(broken.output, /\n1 passed, 1 failed, 1 skipped$/)
    assert.equal(broken.code, 1)
  },
)

test('a file without tests is a failure', limit, async (t) => {
  const { code, output } = await runTests(t, ['--files', 'test/fixtures/run/empty.ts'])
  assert.equal(code, 1)
  assert.match(output, /there is no test in this file/)
})

test('a run over its limit ends with what was not run', limit, async (t) => {
  const { code, output } = await runTests(t, [
    '--files',
    'test/fixtures/run/{empty,hanging,passing}.ts',
    '--minutes',
    '0.05',
    '--concurrency',
    '1',
  ])
  assert.equal(code, 1)
  assert.match(output, /The run was ended, because the run took longer than 0\.05 minutes; 1 files were not run/)
})

test('words that fit no file, and unknown options, are an error of the caller', limit, async (t) => {
  const noFile = await runTests(t, ['no-such-path'])
  assert.equal(noFile.code, 2)
  assert.match(noFile.output, /none of \d+ test files has no-such-path in its path/)
  assert.equal((await runTests(t, ['--no-such-option'])).code, 2)
})
