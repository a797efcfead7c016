// The proxy finds the answer to a COMMIT wherever chunks end, and a client whose answer is dropped has committed all the same.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { atEnd, createTestDatabase } from '../../support/index.ts'
import { commitScanner, startCommitProxy } from './commit-proxy.ts'

function message(type: string, text: string): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeUInt32BE(text.length + 5, 1)
  return Buffer.concat([head, Buffer.from(`${text}\0`)])
}

test('the answer to a COMMIT is found wherever the chunks end', () => {
  const answers = [message('C', 'INSERT 0 1'), message('D', 'COMMIT'), message('C', 'COMMIT'), message('Z', 'I')]
  const stream = Buffer.concat(answers)
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const scan = commitScanner()
    const found = [scan(stream.subarray(0, cut)), scan(stream.subarray(cut))]
    assert.equal(found.filter((at) => at !== undefined).length, 1, `cut at ${cut}`)
  }
})

test('a data row, a ROLLBACK and another command are no COMMIT', () => {
  const scan = commitScanner()
  for (const [type, text] of [
    ['D', 'COMMIT'],
    ['C', 'ROLLBACK'],
    ['C', 'COMMIT PREPARED'],
  ] as const)
    assert.equal(scan(message(type, text)), undefined)
})

test('a client whose answer was dropped sees a broken connection, and its transaction is there', async (t) => {
  const url = new URL((await createTestDatabase(t)).url)
  const proxy = await startCommitProxy({ port: Number(url.port), isAtRisk: (name) => name === 'risky' })
  atEnd(t, () => proxy.stop())
  url.port = String(proxy.port)
  const open = async (name: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url.href, application_name: name })
    client.on('error', () => {})
    await client.connect()
    atEnd(t, () => client.end().catch(() => {}))
    return client
  }
  const [risky, safe] = [await open('risky'), await open('safe')]
  const dropped = proxy.dropCommit()
  await safe.query('BEGIN; CREATE TABLE seen (n int); COMMIT')
  await risky.query('BEGIN')
  await risky.query('INSERT INTO seen VALUES (1)')
  await assert.rejects(risky.query('COMMIT'))
  assert.equal(await dropped, 'risky')
  assert.deepEqual((await safe.query('SELECT n FROM seen')).rows, [{ n: 1 }])
})
