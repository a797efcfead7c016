import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKafkaSink } from '../../../local/kafka-sink/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import type { AppendRecord } from '../../../shared/event-log/index.ts'
import { atEnd } from '../../support/index.ts'

test('an event becomes a record of the topic, answered when the log has it; anything else is refused', async (t) => {
  const records: AppendRecord[] = []
  const fault = { now: false }
  const sink = createKafkaSink({
    eventLog: {
      append: async (appended) => {
        if (fault.now) throw new SluiceError('event_log_unavailable', 'away')
        records.push(...appended)
        return []
      },
    },
  })
  await sink.start(new AbortController().signal)
  atEnd(t, () => sink.stop())
  const headers = {
    'ce-specversion': '1.0',
    'ce-id': 'e1',
    'ce-source': '/s',
    'ce-type': 't',
    'ce-partitionkey': 'k',
    'content-type': 'text/plain',
    'kn-namespace': 'test',
  }
  const send = async (init: RequestInit, topic = 'tool.requests.dlq'): Promise<number> =>
    (await fetch(sink.url(topic), { method: 'POST', headers, body: 'x', ...init })).status

  assert.equal(await send({}), 202)
  const [record] = records
  assert.equal(record?.topic, 'tool.requests.dlq')
  assert.equal(record.key?.toString(), 'k')
  assert.equal(record.value?.toString(), 'x')
  assert.deepEqual(
    record.headers.map(([name, value]) => [name, value?.toString()]).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    [
      ['ce_id', 'e1'],
      ['ce_partitionkey', 'k'],
      ['ce_source', '/s'],
      ['ce_specversion', '1.0'],
      ['ce_type', 't'],
      ['content-type', 'text/plain'],
    ],
  )

  assert.equal(await send({ headers: {} }), 400)
  assert.equal(await send({ method: 'PUT' }), 405)
  assert.equal(await send({}, 'a/b'), 404)
  assert.equal(await send({ body: 'x'.repeat(2_097_153) }), 413)
  fault.now = true
  assert.equal(await send({}), 503)
  assert.equal(records.length, 1)
})
