// One record in, the exact request out: the twin against every capture of the real dispatcher, header by header in the order
// of the wire.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { createKafkaSource, upstreamTiming, type SinkRequest } from '../../../local/kafka-source/index.ts'
import { comparable, requestBody, shapeCaptures, sourceRecord, type ShapeCapture } from './capture.ts'
import { createMemoryLog } from './memory-log.ts'
import { createVirtualClock } from './virtual-clock.ts'

const logger = createLogger({ function: 'twin', level: 'silent' })

/** What the twin sends for the record of a capture, and what it committed. */
async function dispatch({
  source,
  record,
}: ShapeCapture): Promise<{ readonly requests: readonly SinkRequest[]; readonly committed: boolean }> {
  const clock = createVirtualClock()
  const log = createMemoryLog(record.partition + 1)
  const requests: SinkRequest[] = []
  const sender = {
    send: (request: SinkRequest) => {
      requests.push(request)
      return Promise.resolve({ kind: 'answer' as const, status: 200, headers: [], body: Buffer.alloc(0) })
    },
  }
  const twin = createKafkaSource(
    { source: { ...source, spec: { ...source.spec, initialOffset: 'earliest' } }, ...upstreamTiming },
    { log, sender, clock, logger, spanId: () => '00f067aa0ba902b7' },
  )
  log.append([sourceRecord(record)])
  await twin.start(AbortSignal.timeout(5_000))
  const committed = (): boolean => log.commits.get(`${record.topic}/${record.partition}`) === record.offset + 1
  await clock.run(committed, 60_000)
  await twin.stop()
  return { requests, committed: committed() }
}

test('there are captures to compare with', () =>
  assert.ok(shapeCaptures.length > 100, `${shapeCaptures.length} captures`))

for (const capture of shapeCaptures) {
  test(`${capture.name}: ${capture.description}`, async () => {
    const { requests, committed } = await dispatch(capture)
    assert.equal(committed, capture.committed)
    // What the receiver's parser refuses was sent, or is known to be refused; the capture has no request to compare.
    if (capture.refusedByHttpParser !== undefined) return
    assert.equal(requests.length, capture.requests.length)
    for (const [index, expected] of capture.requests.entries()) {
      const request = requests[index]
      assert.ok(request !== undefined)
      assert.deepEqual(comparable(request.headers), comparable(expected.rawHeaders))
      assert.deepEqual(request.body ?? Buffer.alloc(0), requestBody(expected))
    }
  })
}
