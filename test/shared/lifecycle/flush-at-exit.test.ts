import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChild } from '../../support/index.ts'

const run = (body: string) => [
  '--input-type=module-typescript',
  '-e',
  `import { createLogger } from './shared/telemetry/index.ts'
   import { flushAtExit } from './shared/lifecycle/index.ts'
   const log = createLogger({ function: 'x', level: 'info' })
   flushAtExit(log)
   ${body}`,
]

test('an exit writes what the turn under way had to say', { timeout: 20_000 }, async (t) => {
  const child = startChild(t, run("log.info('last'); process.exit(3)"))
  assert.equal((await child.exited()).code, 3)
  await child.line(/"message":"last"/)
})

test('a fault that ends the process loses no line', { timeout: 20_000 }, async (t) => {
  const child = startChild(t, run("log.info('before the fault'); throw new Error('fault')"))
  assert.equal((await child.exited()).code, 1)
  await child.line(/"message":"before the fault"/)
})
