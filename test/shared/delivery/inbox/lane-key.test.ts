import assert from 'node:assert/strict'
import { test } from 'node:test'
import { laneKeyOf } from '../../../../shared/delivery/inbox/lane-key.ts'
import { incoming } from '../workbench.ts'

const { event, raw } = incoming({ id: 'e1' })

test('the lane is that of the partition key, else of the partition, else the event has one of its own', () => {
  const place = { topic: 'tool.requests', partition: 3, offset: 9 }
  assert.equal(laneKeyOf({ event, raw, key: 'session-1', ...place }, 'key'), 'session-1')
  assert.equal(laneKeyOf({ event, raw, ...place }, 'key'), 'partition:tool.requests/3')
  assert.match(laneKeyOf({ event, raw }, 'key'), /^event:[0-9a-f]{64}$/)
})

test('with ordering none every event has a lane of its own, the same for every delivery of it', () => {
  const one = laneKeyOf({ event, raw, key: 'session-1' }, 'none')
  assert.equal(laneKeyOf({ event: { ...event, data: 'other' }, raw, key: 'session-2' }, 'none'), one)
  assert.notEqual(laneKeyOf({ event: { ...event, id: 'e2' }, raw, key: 'session-1' }, 'none'), one)
  assert.notEqual(laneKeyOf({ event: { ...event, source: '/other' }, raw, key: 'session-1' }, 'none'), one)
})
