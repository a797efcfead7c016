import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChild, until } from '../../support/index.ts'

const run = (body: string) => [
  '--input-type=module-typescript',
  '-e',
  `import { createLogger } from './shared/telemetry/index.ts'
   const log = createLogger({ function: 'x', level: 'info' })
   ${body}`,
]
const messages = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { message: string }).message)

test('lines come whole and in order, however many are written in one turn', { timeout: 20_000 }, async (t) => {
  const child = startChild(t, run("for (let n = 0; n < 5_000; n += 1) log.info({ text: 'a'.repeat(100) }, String(n))"))
  assert.equal((await child.exited()).code, 0)
  await until('all lines are read', () => child.lines.length === 5_000)
  assert.deepEqual(
    messages(child.lines),
    Array.from({ length: 5_000 }, (_, n) => String(n)),
  )
})

test('a line is out while the process waits', { timeout: 20_000 }, async (t) => {
  const child = startChild(t, run("log.info('now'); setTimeout(() => undefined, 60_000)"))
  await child.line(/"message":"now"/)
})
