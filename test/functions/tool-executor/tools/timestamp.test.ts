import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToolRun } from '../../../../functions/tool-executor/tool.ts'
import { timestamp } from '../../../../functions/tool-executor/tools/timestamp.ts'
import { createManualClock } from '../../../support/index.ts'

const run = { clock: createManualClock(Date.UTC(2026, 0, 2, 3, 4, 5)) } as unknown as ToolRun
const at = (timeZone?: string): Promise<unknown> =>
  timestamp.run((timeZone === undefined ? {} : { time_zone: timeZone }) as never, run)

test('the time in Lima carries its date, offset and weekday', async () => {
  assert.deepEqual(await at('America/Lima'), {
    time_zone: 'America/Lima',
    local: '2026-01-01T22:04:05-05:00',
    weekday: 'Thursday',
    utc: '2026-01-02T03:04:05.000Z',
  })
})

test('without a zone it is UTC', async () => {
  assert.deepEqual(await at(), {
    time_zone: 'UTC',
    local: '2026-01-02T03:04:05+00:00',
    weekday: 'Friday',
    utc: '2026-01-02T03:04:05.000Z',
  })
})

test('midnight is hour 00, and half-hour offsets are kept', async () => {
  const clock = createManualClock(Date.UTC(2026, 5, 1, 18, 30))
  const result = await timestamp.run({ time_zone: 'Asia/Kolkata' } as never, { clock } as unknown as ToolRun)
  assert.equal((result as { local: string }).local, '2026-06-02T00:00:00+05:30')
})

for (const zone of ['Mars/Olympus', '', '../../etc/passwd', 'America/Lima; DROP TABLE x', '\u0000']) {
  test(`'${JSON.stringify(zone)}' is no time zone and is refused as an argument`, async () => {
    await assert.rejects(at(zone), { code: 'invalid_arguments' })
  })
}
