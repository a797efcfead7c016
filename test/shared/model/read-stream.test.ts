import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readStream } from '../../../shared/model/read-stream.ts'

async function* pieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length]
  for (let index = 1; index < at.length; index += 1) yield bytes.subarray(at[index - 1], at[index])
}

async function read(
  text: string | Buffer,
  {
    cuts = [],
    maxEventChars = 1_000,
    maxBytes = 10_000,
  }: { cuts?: readonly number[]; maxEventChars?: number; maxBytes?: number } = {},
) {
  const events: string[] = []
  let done = 0
  const options = {
    onData: (data: string) => void events.push(data),
    onDone: () => void (done += 1),
    maxEventChars,
    maxBytes,
  }
  const foreign = await readStream(pieces(Buffer.from(text), cuts), options)
  return { events, done, foreign }
}

test('however the bytes are cut, the events are the same', async () => {
  const text = '\uFEFF: hi\r\ndata: héllo ✓ 🎉\r\n\r\nevent: x\ndata: two\ndata: lines\n\ndata: [DONE]\n\n'
  const whole = await read(text)
  assert.deepEqual(whole, { events: ['héllo ✓ 🎉', 'two\nlines'], done: 1, foreign: 0 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(90), { maxLength: 10 }), async (cuts) =>
      assert.deepEqual(await read(text, { cuts }), whole),
    ),
  )
})

test('what follows [DONE] is read and ignored', async () => {
  assert.deepEqual(await read('data: a\n\ndata: [DONE]\n\ndata: b\n\ndata: [DONE]\n\n'), {
    events: ['a'],
    done: 1,
    foreign: 0,
  })
})

test('lines that are no fields are counted', async () => {
  assert.equal((await read('<html>\nhello\n\n')).foreign, 2)
})

test('the limits of an event and of a body hold to the byte', async () => {
  await read('data: 1234', { maxEventChars: 10 })
  await assert.rejects(read('data: 12345', { maxEventChars: 10 }), { code: 'response_too_large' })
  await read('data: 12\n\n', { maxBytes: 10 })
  await assert.rejects(read('data: 123\n\n', { maxBytes: 10 }), { code: 'response_too_large' })
})

test('bytes that are not UTF-8 are malformed', async () => {
  await assert.rejects(read(Buffer.from([0x64, 0xff])), { code: 'model_malformed' })
})
