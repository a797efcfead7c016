import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChild } from '../support/index.ts'

// A process that waits for a stop request, tells it, and stays until it is killed.
const program = `
const { untilStopRequested } = await import(${JSON.stringify(new URL('../../cli/stop-request.ts', import.meta.url).href)})
const stop = untilStopRequested()
setInterval(() => {}, 1000)
console.log('waiting')
console.log('asked by', await stop.requested, stop.signal.aborted)
`

test(
  'the first signal is a request; the same one again within a second is no second one; a later one ends at once',
  { timeout: 20_000 },
  async (t) => {
    const child = startChild(t, ['--input-type=module', '-e', program])
    await child.line(/waiting/)
    child.kill('SIGINT')
    await child.line(/asked by SIGINT true/)
    child.kill('SIGINT')
    const asked = performance.now()
    await assert.rejects(child.exited({ limitMs: 400 }), /in vain/)
    await new Promise((resolve) => setTimeout(resolve, 1_100 - (performance.now() - asked)))
    child.kill('SIGINT')
    assert.deepEqual(await child.exited(), { code: null, signal: 'SIGINT' })
  },
)
