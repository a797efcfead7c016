import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStreamMeter } from '../../../../functions/gateway/stream/stream-meter.ts'
import { createInstruments } from '../../../../shared/telemetry/index.ts'

test('a scrape sees how many streams are open, what waits in all, and what waits for the slowest', async () => {
  const { read, meter } = meterWithScrape()
  assert.deepEqual(await read(), { open: 0, waiting: 0, slowest: 0, ended: {} })
  let behind = 100
  const ended = meter.opened(() => behind)
  meter.opened(() => 20)
  assert.deepEqual(await read(), { open: 2, waiting: 120, slowest: 100, ended: {} })
  behind = 7
  assert.deepEqual(await read(), { open: 2, waiting: 27, slowest: 20, ended: {} })
  ended('stalled')
  assert.deepEqual(await read(), { open: 1, waiting: 20, slowest: 20, ended: { stalled: 1 } })
})

test('ends are counted by cause, so that who was too slow is told from who left', async () => {
  const { read, meter } = meterWithScrape()
  for (const cause of ['left', 'buffer-full', 'left'] as const) meter.opened(() => 0)(cause)
  assert.deepEqual((await read()).ended, { left: 2, 'buffer-full': 1 })
})

function meterWithScrape() {
  const instruments = createInstruments({ function: 'gateway' })
  const valueOf = async (name: 'streamsOpen' | 'streamsWaitingBytes' | 'streamsSlowestBytes') =>
    (await instruments[name].get()).values[0]?.value
  return {
    meter: createStreamMeter(instruments),
    read: async () => ({
      open: await valueOf('streamsOpen'),
      waiting: await valueOf('streamsWaitingBytes'),
      slowest: await valueOf('streamsSlowestBytes'),
      ended: Object.fromEntries(
        (await instruments.streamsEnded.get()).values.map(({ labels, value }) => [labels.cause, value]),
      ),
    }),
  }
}
