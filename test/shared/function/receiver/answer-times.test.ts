import assert from 'node:assert/strict'
import { test } from 'node:test'
import { laneAnswerMs, laneTokenHeader, type Incoming } from '../../../../shared/delivery/index.ts'
import { topics } from '../../../../shared/events/index.ts'
import { answerTimesOf, anyEventOn, defineFunction, type Execution } from '../../../../shared/function/index.ts'
import { admissionsOf, policiesOf } from '../../../../shared/function/receiver/event-intake.ts'
import { composePipeline } from '../../../../shared/function/receiver/pipeline.ts'
import { Reception } from '../../../../shared/function/receiver/reception.ts'
import type { Reply } from '../../../../shared/function/receiver/reply.ts'
import { createManualClock } from '../../../support/index.ts'

const definition = (execution: Execution, timeoutMs: number) =>
  defineFunction({
    name: 'timed',
    purpose: 'Tests how long answers take',
    consumes: anyEventOn([topics.toolRequests]),
    produces: [],
    execution,
    ordering: 'none',
    delivery: { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs },
    needs: ['postgres'],
    scale: { min: 0, max: 1, concurrency: 1 },
  })

const incoming: Incoming = {
  event: { specversion: '1.0', id: '1', source: '/test', type: 'any', extensions: {}, data: undefined },
  raw: Buffer.from('{}'),
}

/** When a request is answered whose handler never settles, in milliseconds; to the second. */
async function answeredAfterMs(execution: Execution, headers: Readonly<Record<string, string>>): Promise<number> {
  const clock = createManualClock()
  const contract = definition(execution, 60_000)
  const receive = composePipeline(
    policiesOf(contract, admissionsOf(contract)),
    () => new Promise<Reply>(() => undefined),
    { clock, refuse: () => assert.fail('refused') },
  )
  const laneToken = headers[laneTokenHeader]
  const reception = new Reception({ headers, laneToken, caller: undefined, arrivedAtMs: 0 })
  const statuses: number[] = []
  void Promise.resolve(receive(incoming, reception)).then((reply) => statuses.push(reply.status))
  while (statuses.length === 0 && clock.monotonic() < 600_000) await clock.advance(1_000)
  assert.deepEqual(statuses, [503])
  return clock.monotonic()
}

test('a source waits for acceptance only: 15 s for a steps function, however long its runs are', async () => {
  assert.equal(await answeredAfterMs('steps', {}), 15_000)
  assert.equal(await answeredAfterMs('transaction', {}), 65_000)
  assert.equal(await answeredAfterMs('stateless', {}), 60_000)
})

test('a run from the lane, or a dry run, has the whole time of the handler', async () => {
  assert.equal(await answeredAfterMs('steps', { [laneTokenHeader]: 'token' }), 65_000)
  assert.equal(await answeredAfterMs('steps', { 'sluice-dry-run-token': 'token' }), 65_000)
})

test('the times of a manifest are those of the receiver, with the time in which a body must have come', () => {
  assert.deepEqual(answerTimesOf(definition('steps', 60_000)), { sourceMs: 29_000, runMs: 79_000 })
  assert.deepEqual(answerTimesOf(definition('transaction', 10_000)), { sourceMs: 29_000, runMs: 29_000 })
  assert.deepEqual(answerTimesOf(definition('steps', 1_000)), { sourceMs: 20_000, runMs: 20_000 })
  const tick = defineFunction({
    name: 'timed',
    purpose: 'Tests how long answers take',
    schedule: '* * * * *',
    budgetMs: 30_000,
    needs: [],
    scale: { min: 0, max: 1, concurrency: 1 },
  })
  assert.deepEqual(answerTimesOf(tick), { sourceMs: 45_000, runMs: 45_000 })
})

test('the lane driver waits longer than the longest run that a contract may ask for', () => {
  assert.ok(answerTimesOf(definition('steps', 570_000)).runMs < laneAnswerMs)
  assert.throws(() => definition('steps', 570_001), /570000/)
})
