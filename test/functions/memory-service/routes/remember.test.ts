import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import type { MemoryRecordWritten } from '../../../../shared/events/index.ts'
import { chainBegin, checksumOf } from '../../../../shared/memory/index.ts'
import { startMemoryService, type MemoryPlatform } from '../../support/memory.ts'

interface Emitted {
  readonly data: MemoryRecordWritten
  readonly tenant: string
  readonly partitionkey: string
  readonly sessionid?: string
}

async function writesOf({ database }: MemoryPlatform, stream: string): Promise<readonly Emitted[]> {
  const { rows } = await database.query<{ event: Emitted }>(
    `SELECT event FROM sluice.outbox WHERE topic = 'memory.wal' AND key = $1 ORDER BY sequence`,
    [stream],
  )
  return rows.map(({ event }) => event)
}

const count = async ({ database }: MemoryPlatform, table: string): Promise<number> =>
  (await database.query(`SELECT FROM ${table}`)).rowCount

test('remembering', { timeout: 60_000 }, async (t) => {
  const memory = await startMemoryService(t)

  await t.test('the record, its event and the mark that the replica lacks it commit together', async () => {
    const { key, position } = await memory.remember({ content: 'The boiler was repaired in March.', session_id: 's1' })
    assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    assert.equal(position, `1@${key}`)
    const [event, ...others] = await writesOf(memory, `local/${key}`)
    assert.ok(event !== undefined)
    assert.deepEqual(others, [])
    assert.deepEqual([event.tenant, event.partitionkey, event.sessionid], ['local', `local/${key}`, 's1'])
    const { data } = event
    assert.deepEqual([data.key, data.sequence, data.operation, data.language], [key, 1, 'remember', 'en'])
    assert.equal(data.previous, chainBegin)
    assert.equal(data.checksum, checksumOf('local', data))
    const { rows } = await memory.database.query('SELECT tenant, sequence FROM agent.memory_unapplied WHERE key = $1', [
      key,
    ])
    assert.deepEqual(rows, [{ tenant: 'local', sequence: 1 }])
  })

  await t.test('a key that is known gets the next sequence, and names the checksum of the write before', async () => {
    const positions = []
    for (const content of ['one', 'two', 'three'])
      positions.push((await memory.remember({ key: 'k', content })).position)
    assert.deepEqual(positions, ['1@k', '2@k', '3@k'])
    const writes = (await writesOf(memory, 'local/k')).map(({ data }) => data)
    assert.deepEqual(
      writes.map(({ content }) => content),
      ['one', 'two', 'three'],
    )
    assert.deepEqual([writes[1]?.previous, writes[2]?.previous], [writes[0]?.checksum, writes[1]?.checksum])
  })

  await t.test('writers of one key at once make one chain without a gap', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => memory.remember({ key: 'busy', content: `by ${at}` })))
    const writes = (await writesOf(memory, 'local/busy')).map(({ data }) => data)
    assert.deepEqual(
      writes.map(({ sequence }) => sequence),
      Array.from({ length: 20 }, (_, at) => at + 1),
    )
    for (const [at, { previous, checksum }] of writes.entries()) {
      assert.equal(previous, writes[at - 1]?.checksum ?? chainBegin)
      assert.equal(checksum, checksumOf('local', writes[at] as MemoryRecordWritten))
    }
  })

  await t.test('two tenants may use the same key and do not meet', async () => {
    await memory.remember({ key: 'shared', content: 'ours' }, { tenant: 'one' })
    const { position } = await memory.remember({ key: 'shared', content: 'theirs' }, { tenant: 'two' })
    assert.equal(position, '1@shared')
    assert.equal((await writesOf(memory, 'two/shared'))[0]?.tenant, 'two')
  })

  await t.test('the language is the one given, else the one whose small words the content uses', async () => {
    const said = { content: 'Der Schlüssel liegt unter der Matte und nicht im Haus' }
    for (const [request, language] of [
      [said, 'de'],
      [{ ...said, language: 'en' }, 'en'],
      [{ ...said, language: 'xx' }, 'und'],
      [{ content: '12345' }, 'und'],
    ] as const) {
      const { key } = await memory.remember(request)
      assert.equal((await writesOf(memory, `local/${key}`))[0]?.data.language, language)
    }
  })

  await t.test('W-17: the same Idempotency-Key gives the stored answer and writes once', async () => {
    const headers = { 'idempotency-key': 'event-1' }
    const body = { key: 'once', content: 'hello' }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => memory.ask('POST', '/v1/memory/remember', { body, headers })),
    )
    for (const { status, body: told } of answers)
      assert.ok(status === 201 ? told['position'] === '1@once' : told['code'] === 'idempotency_running')
    const again = await memory.ask('POST', '/v1/memory/remember', { body, headers })
    assert.deepEqual([again.status, again.body], [201, { key: 'once', position: '1@once' }])
    assert.equal((await writesOf(memory, 'local/once')).length, 1)
    const other = await memory.ask('POST', '/v1/memory/remember', { body: { ...body, content: 'x' }, headers })
    assert.deepEqual([other.status, other.body['code']], [422, 'idempotency_mismatch'])
  })

  await t.test('limits: each at its edge and one beyond', async () => {
    const status = async (body: object): Promise<number> =>
      (await memory.ask('POST', '/v1/memory/remember', { body })).status
    const cases: readonly (readonly [object, number])[] = [
      [{ content: 'x'.repeat(32_768) }, 201],
      [{ content: 'x'.repeat(32_769) }, 422],
      [{ content: '' }, 422],
      [{}, 422],
      [{ content: 'x', key: 'k'.repeat(200) }, 201],
      [{ content: 'x', key: 'k'.repeat(201) }, 422],
      [{ content: 'x', key: 'with space' }, 422],
      [{ content: 'x', key: 'a/b?c#d' }, 201],
      [{ content: 'x', namespace: 'Upper' }, 422],
      [{ content: 'x', unknown: true }, 422],
      [{ content: 'x', metadata: { a: 'b' } }, 201],
      [{ content: 'x', metadata: { a: 1 } }, 422],
      [{ content: 'x', metadata: { a: 'v'.repeat(1_025) } }, 422],
      [{ content: 'x', metadata: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`k${at}`, 'v'])) }, 422],
      [{ content: 'NUL \u0000 within' }, 422],
    ]
    for (const [body, expected] of cases) assert.equal(await status(body), expected, JSON.stringify(body).slice(0, 60))
    assert.equal(
      (await memory.ask('POST', '/v1/memory/remember', { body: '{"content":' })).body['code'],
      'invalid_json',
    )
  })

  await t.test('a refusal leaves nothing behind', async () => {
    const before = [await count(memory, 'agent.memory_record'), await count(memory, 'sluice.outbox')]
    await memory.ask('POST', '/v1/memory/remember', { body: { key: uuid(), content: '' } })
    assert.deepEqual([await count(memory, 'agent.memory_record'), await count(memory, 'sluice.outbox')], before)
  })
})
