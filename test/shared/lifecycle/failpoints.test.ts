import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFailpoints } from '../../../shared/lifecycle/index.ts'
import { startChild } from '../../support/index.ts'

const script = (testMode: boolean, action: string): string => `
  import { createFailpoints } from './shared/lifecycle/index.ts'
  const pass = createFailpoints({ testMode: ${testMode}, failpoints: new Map([['here', '${action}']]) })
  for (const name of ['here', 'there', 'here', 'here']) { pass(name); console.log('passed', name) }`

const run = (testMode: boolean, action: string) => ['--input-type=module-typescript', '-e', script(testMode, action)]

test('kill@N ends the process by SIGKILL at the N-th pass of that point', async (t) => {
  const child = startChild(t, run(true, 'kill@2'))
  assert.equal((await child.exited()).signal, 'SIGKILL')
  assert.deepEqual(child.lines, ['passed here', 'passed there'])
})

test('kill means the first pass', async (t) => {
  const child = startChild(t, run(true, 'kill'))
  assert.equal((await child.exited()).signal, 'SIGKILL')
  assert.deepEqual(child.lines, [])
})

test('without test mode failpoints are inert', async (t) => {
  const child = startChild(t, run(false, 'kill'))
  assert.equal((await child.exited()).code, 0)
})

test('a point that nobody named does nothing', () => {
  createFailpoints({ testMode: true, failpoints: new Map([['elsewhere', 'kill']]) })('here')
})
