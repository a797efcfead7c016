import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTransactional, type Effects } from '../../../shared/delivery/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { toolCallFinished, topics } from '../../../shared/events/index.ts'
import { parseTraceparent, withTrace } from '../../../shared/telemetry/index.ts'
import { until } from '../../support/index.ts'
import { contractOf, createWorkbench, finished, published } from './workbench.ts'

test('effects and events commit together and are published with the trace and tenant of the caller', async (t) => {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text)')
  const { transaction } = createTransactional({ ...contractOf('steps'), name: 'gateway' }, bench)
  const trace = parseTraceparent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
  assert.ok(trace)
  const id = await withTrace(trace, () =>
    transaction(
      async ({ tx, emit }) => {
        await tx.query(`INSERT INTO effect VALUES ('x')`)
        emit(toolCallFinished, finished('a'), { key: 's1', tenant: 'other', topic: topics.toolResults })
        return emit(toolCallFinished, finished('b'), { key: 's1', sessionId: 's1', subject: 'b' })
      },
      { tenant: 'acme' },
    ),
  )
  const records = await until('both are published', async () => {
    const found = await published(bench.eventLog, 'tool.results')
    return found.length === 2 && found
  })
  assert.deepEqual(
    records.map((record) => record.header('ce_tenant')),
    ['other', 'acme'],
  )
  const last = records[1]
  assert.equal(last?.id, id)
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  const expected = {
    ce_source: '/sluice/gateway',
    ce_type: 'tool.call.finished.v1',
    ce_subject: 'b',
    ce_sessionid: 's1',
    ce_partitionkey: 's1',
    ce_sequence: '0000000000000002',
    trace_id: trace.traceId,
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(last?.header(name), value, name)
  assert.match(last?.header('traceparent') ?? '', /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)/)
  assert.equal((await bench.rows('SELECT FROM effect')).length, 1)
})

test('what throws rolls everything back and is rethrown; effects cannot be used afterwards', async (t) => {
  const bench = await createWorkbench(t)
  const { transaction } = createTransactional(contractOf('steps'), bench)
  let kept: Effects | undefined
  await assert.rejects(
    transaction(
      async (effects) => {
        kept = effects
        effects.emit(toolCallFinished, finished('a'), { key: 's1' })
        throw new SluiceError('conflict', 'no')
      },
      { tenant: 'acme' },
    ),
    { code: 'conflict' },
  )
  assert.deepEqual(await bench.rows('SELECT FROM sluice.outbox'), [])
  assert.throws(() => kept?.emit(toolCallFinished, finished('a'), { key: 's1' }), { code: 'aborted' })
  await assert.rejects(async () => kept?.tx.query('SELECT 1'), { code: 'aborted' })
  await assert.rejects(async () => kept?.tx.savepoint(async () => undefined), { code: 'aborted' })
})
