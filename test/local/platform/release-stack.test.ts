import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReleaseStack } from '../../../local/platform/release-stack.ts'

test('ends run in reverse order, once, whoever asks', async () => {
  const stack = createReleaseStack()
  const ended: string[] = []
  for (const name of ['a', 'b', 'c']) stack.add(() => void ended.push(name))
  await Promise.all([stack.all(), stack.all()])
  await stack.all()
  assert.deepEqual(ended, ['c', 'b', 'a'])
})

test('an end that throws does not keep the others from running, and is told at the end', async () => {
  const stack = createReleaseStack()
  const ended: string[] = []
  stack.add(() => void ended.push('first'))
  stack.add(() => Promise.reject(new Error('stuck')))
  await assert.rejects(stack.all(), /stuck/)
  assert.deepEqual(ended, ['first'])
})
