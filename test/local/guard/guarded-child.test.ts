import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { spawnGuarded, type GuardedChild } from '../../../local/guard/index.ts'
import { isAlive, until } from '../../support/index.ts'

const sh = (script: string, onLine?: (line: string, stream: 'stdout' | 'stderr') => void): Promise<GuardedChild> =>
  spawnGuarded({
    file: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin' },
    stopSignal: 'SIGTERM',
    ...(onLine === undefined ? {} : { onLine }),
  })

test('the exit code and the lines of both streams arrive', async () => {
  const lines: string[] = []
  const child = await sh('echo one; echo two >&2; exit 7', (line, stream) => lines.push(`${stream} ${line}`))
  assert.equal(await child.exited, 7)
  await until('both lines are read', () => lines.length === 2)
  assert.deepEqual(lines.toSorted(), ['stderr two', 'stdout one'])
})

test('pid is that of the program, not of its guard', async () => {
  const lines: string[] = []
  const child = await sh('echo $$; exec sleep 60', (line) => lines.push(line))
  await until('the program told its pid', () => lines.length === 1)
  assert.equal(lines[0], String(child.pid))
  assert.equal(child.kill('SIGKILL'), true)
  assert.equal(await child.exited, 128 + 9)
  assert.equal(child.kill('SIGKILL'), false)
})

test('stop is polite first, and calls after the end change nothing', { timeout: 10_000 }, async () => {
  const lines: string[] = []
  const child = await sh('trap "exit 3" TERM; echo up; while :; do sleep 0.05; done', (line) => lines.push(line))
  await until('the trap is set', () => lines.length === 1)
  assert.deepEqual(await Promise.all([child.stop({ limitMs: 5_000 }), child.stop({ limitMs: 5_000 })]), [3, 3])
  assert.equal(await child.stop({ limitMs: 5_000 }), 3)
})

test('a program that ignores the polite signal is killed after the limit', { timeout: 10_000 }, async () => {
  const lines: string[] = []
  const child = await sh('trap "" TERM; echo up; while :; do sleep 0.05; done', (line) => lines.push(line))
  await until('the trap is set', () => lines.length === 1)
  assert.equal(await child.stop({ limitMs: 100 }), 128 + 9)
})

test('a program that does not exist reports code 127', { timeout: 10_000 }, async () => {
  const child = await spawnGuarded({ file: '/nowhere/at/all', args: [], env: {}, stopSignal: 'SIGTERM' })
  assert.equal(await child.exited, 127)
})

test('the program ends when its parent is killed', { timeout: 20_000 }, async (t) => {
  const parent = spawn(process.execPath, [fileURLToPath(new URL('parent-of-sleep.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => parent.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  const pid = Number(line)
  assert.equal(isAlive(pid), true)
  parent.kill('SIGKILL')
  await until('the program is gone', () => !isAlive(pid))
})
