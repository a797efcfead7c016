import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemory, startMemoryService, startReplicator, type MemoryPlatform } from '../../support/memory.ts'

/** Remembers all and returns the last position of each, so that a recall can wait for them. */
async function rememberAll(memory: MemoryPlatform, memories: readonly object[], tenant = 'local'): Promise<void> {
  for (const one of memories) {
    const { position } = await memory.remember(one, { tenant })
    await memory.recall({ after: position, wait_ms: 10_000, limit: 1 }, { tenant })
  }
}

const keysOf = async (memory: MemoryPlatform, question: object, tenant = 'local'): Promise<readonly string[]> =>
  (await memory.recall(question, { tenant })).map(({ key }) => key)

test('recall', { timeout: 120_000 }, async (t) => {
  const memory = await startMemory(t)

  await t.test('a write is recalled by whoever waits for its position', async () => {
    const { position } = await memory.remember({ key: 'first', content: 'The spare key is under the mat.' })
    const [found] = await memory.recall({ query: 'Where is the spare key?', after: position })
    assert.deepEqual([found?.key, found?.position, found?.score], ['first', '1@first', 1])
  })

  await t.test('memories that have more of the words come first, and words of no memory find nothing', async () => {
    await rememberAll(memory, [
      { key: 'm1', namespace: 'rank', content: 'Ada keeps bees' },
      { key: 'm2', namespace: 'rank', content: 'Ada keeps bees in the old garden behind the mill' },
      { key: 'm3', namespace: 'rank', content: 'Grace keeps a boat' },
    ])
    const query = { query: 'Who keeps bees behind the mill?', namespace: 'rank' }
    assert.deepEqual(await keysOf(memory, query), ['m2', 'm1', 'm3'])
    assert.deepEqual(await keysOf(memory, { ...query, min_score: 0.5 }), ['m2', 'm1'])
    assert.deepEqual(await keysOf(memory, { ...query, limit: 1 }), ['m2'])
    assert.deepEqual(await keysOf(memory, { query: 'zeppelin', namespace: 'rank' }), [])
    assert.deepEqual(await keysOf(memory, { query: 'who is it, and what?', namespace: 'rank' }), [])
    assert.deepEqual(await keysOf(memory, { query: '…!?', namespace: 'rank' }), [])
  })

  await t.test('without a query the newest come first', async () => {
    assert.deepEqual(await keysOf(memory, { namespace: 'rank' }), ['m3', 'm2', 'm1'])
    assert.deepEqual(await keysOf(memory, { namespace: 'rank', limit: 2 }), ['m3', 'm2'])
  })

  await t.test('languages: stems, accents written or left out, and scripts without spaces', async () => {
    await rememberAll(memory, [
      { key: 'en', namespace: 'lang', content: 'My favourite colours are teal and red' },
      { key: 'de', namespace: 'lang', content: 'Ich wohne in München und möchte die alten Häuser nicht verkaufen' },
      { key: 'fr', namespace: 'lang', content: 'J’habite près du café de l’Étoile, dans la rue du marché' },
      { key: 'es', namespace: 'lang', content: 'El niño come una manzana en la peña de su abuela' },
      { key: 'ru', namespace: 'lang', content: 'Я живу в Москве и очень люблю свою кошку' },
      { key: 'no', namespace: 'lang', content: 'Jeg bor i Tromsø og spiser smørbrød til frokost' },
      { key: 'ja', namespace: 'lang', content: '私は東京都に住んでいます' },
      { key: 'el', namespace: 'lang', content: 'Ο γιατρός μένει στην Αθήνα' },
    ])
    for (const [query, key] of [
      ['What is my favourite colour?', 'en'],
      ['münchen haus', 'de'],
      ['MUNCHEN', 'de'],
      ['cafés', 'fr'],
      ['cafe etoile', 'fr'],
      ['pena nino', 'es'],
      ['кошка', 'ru'],
      ['МОСКВА', 'ru'],
      ['tromso smorbrod', 'no'],
      ['東京', 'ja'],
      ['αθηνα γιατρος', 'el'],
    ] as const)
      assert.equal((await keysOf(memory, { query, namespace: 'lang' }))[0], key, query)
  })

  await t.test('a query that looks like the syntax of a search finds words and breaks nothing', async () => {
    await rememberAll(memory, [
      { key: 'odd', namespace: 'odd', content: "O'Brien & Söhne | 100% (a:b) \\ 'quoted' <-> !" },
    ])
    for (const query of ["o'brien", 'sohne', "'", '& | ! ( ) <-> :*', "') OR 1=1 --", '\\', 'a:b', '100% sohne'])
      await keysOf(memory, { query, namespace: 'odd' })
    assert.deepEqual(await keysOf(memory, { query: "brien's", namespace: 'odd' }), ['odd'])
  })

  await t.test('filters: namespace, session, every session but one', async () => {
    await rememberAll(memory, [
      { key: 'f1', namespace: 'filter', session_id: 's1', content: 'likes tea' },
      { key: 'f2', namespace: 'filter', session_id: 's2', content: 'likes tea too' },
      { key: 'f3', namespace: 'filter', content: 'tea without a session' },
    ])
    const query = { query: 'tea', namespace: 'filter' }
    const sorted = async (more: object): Promise<readonly string[]> =>
      (await keysOf(memory, { ...query, ...more })).toSorted()
    assert.deepEqual(await sorted({}), ['f1', 'f2', 'f3'])
    assert.deepEqual(await sorted({ session_id: 's1' }), ['f1'])
    assert.deepEqual(await sorted({ except_session_id: 's1' }), ['f2', 'f3'])
    assert.deepEqual(await sorted({ namespace: 'other' }), [])
  })

  await t.test('a tenant recalls its own memories only, whatever it asks', async () => {
    await rememberAll(memory, [{ key: 'secret', content: 'the vault code is 4711', session_id: 's1' }], 'one')
    await rememberAll(memory, [{ key: 'secret', content: 'the vault is empty' }], 'two')
    const ofTwo = await memory.recall({ query: 'vault code 4711' }, { tenant: 'two' })
    assert.deepEqual(
      ofTwo.map(({ content }) => content),
      ['the vault is empty'],
    )
    assert.deepEqual(await memory.recall({}, { tenant: 'three' }), [])
    assert.deepEqual(await memory.recall({ session_id: 's1' }, { tenant: 'two' }), [])
  })

  await t.test('a memory that was written again is found by what it says now', async () => {
    await rememberAll(memory, [
      { key: 'job', namespace: 'now', content: 'works as a baker' },
      { key: 'job', namespace: 'now', content: 'works as a pilot' },
    ])
    assert.deepEqual(await keysOf(memory, { query: 'baker', namespace: 'now' }), [])
    const [found] = await memory.recall({ query: 'pilot', namespace: 'now' })
    assert.deepEqual([found?.content, found?.position], ['works as a pilot', '2@job'])
    assert.deepEqual(await keysOf(memory, { namespace: 'now' }), ['job'])
  })

  await t.test('bounds of a question, each at its edge and one beyond', async () => {
    const status = async (body: object): Promise<number> =>
      (await memory.ask('POST', '/v1/memory/recall', { body })).status
    const cases: readonly (readonly [object, number])[] = [
      [{ query: 'x'.repeat(4_096) }, 200],
      [{ query: 'x'.repeat(4_097) }, 422],
      [{ limit: 50 }, 200],
      [{ limit: 51 }, 422],
      [{ limit: 0 }, 422],
      [{ min_score: 1.1 }, 422],
      [{ wait_ms: 10_001 }, 422],
      [{ after: 'nonsense' }, 422],
      [{ after: '0@k' }, 422],
      [{ unknown: 1 }, 422],
    ]
    for (const [body, expected] of cases) assert.equal(await status(body), expected, JSON.stringify(body).slice(0, 60))
  })
})

test('waiting for a position that the replica does not reach', { timeout: 60_000 }, async (t) => {
  const memory = await startMemoryService(t)
  const { position } = await memory.remember({ key: 'late', content: 'not replicated yet' })
  const wait = (after: string, wait_ms: number) => memory.ask('POST', '/v1/memory/recall', { body: { after, wait_ms } })

  await t.test('ends with a coded answer when the time is up, and says when to come again', async () => {
    const begun = performance.now()
    const { status, body, headers } = await wait(position, 300)
    assert.deepEqual([status, body['code'], headers.get('retry-after')], [503, 'replica_behind', '1'])
    assert.ok(performance.now() - begun >= 299)
    assert.equal((await wait(position, 0)).status, 503)
  })

  await t.test('is refused at once for a position that no write has, and for another tenant’s', async () => {
    for (const after of ['2@late', '1@unknown']) {
      const { status, body } = await wait(after, 10_000)
      assert.deepEqual([status, body['code']], [422, 'invalid_request'], after)
    }
    const foreign = await memory.ask('POST', '/v1/memory/recall', { body: { after: position }, tenant: 'other' })
    assert.equal(foreign.status, 422)
  })

  await t.test('goes on when the replica catches up', async (t) => {
    const { startSource } = await startReplicator(t, memory)
    const answer = wait(position, 10_000)
    await startSource()
    const { status, body } = await answer
    assert.equal(status, 200)
    assert.equal((body['memories'] as readonly unknown[]).length, 1)
  })
})

test('a wait ends when the process is to stop', { timeout: 30_000 }, async (t) => {
  const memory = await startMemoryService(t)
  const { position } = await memory.remember({ content: 'never replicated' })
  const answer = memory.ask('POST', '/v1/memory/recall', { body: { after: position, wait_ms: 10_000 } })
  await new Promise((resolve) => setImmediate(resolve))
  const begun = performance.now()
  await memory.service.drain({ totalMs: 4_000 })
  assert.ok(performance.now() - begun < 3_000)
  const { status, body } = await answer
  assert.deepEqual([status, body['code']], [503, 'draining'])
})
