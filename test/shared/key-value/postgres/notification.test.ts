import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { notifyPayloadBytes } from '../../../../shared/database/index.ts'
import { fits, laneOf, packItems, unpackItems, type Item } from '../../../../shared/key-value/postgres/notification.ts'

const body: fc.Arbitrary<Item['body']> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 50 }).map((text) => ({ text })),
  fc.integer({ min: 0, max: 1_300 }).map((length) => ({ text: '\0"é'.repeat(length) })),
  fc.uuid().map((id) => ({ id })),
)
const item = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'channel "é"'), body)
  .map(([channel, content]): Item => ({ channel, body: content }))

test('packs hold the items of each channel in order, fit a notification, and none equals another', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 60 }), (items) => {
      const fitting = items.filter(fits)
      let number = 0
      const packs = packItems(fitting, () => (number += 1))
      for (const { payload } of packs) assert.ok(Buffer.byteLength(payload) <= notifyPayloadBytes)
      assert.equal(new Set(packs.map(({ lane, payload }) => `${lane} ${payload}`)).size, packs.length)
      const unpacked = packs.flatMap(({ lane, payload }) => unpackItems(payload).map((each) => ({ lane, ...each })))
      const ofChannel = (all: readonly Item[], channel: string) =>
        all.filter((each) => each.channel === channel).map(({ body }) => body)
      for (const channel of new Set(items.map((each) => each.channel)))
        assert.deepEqual(ofChannel(unpacked, channel), ofChannel(fitting, channel))
      for (const { lane, channel } of unpacked) assert.equal(lane, laneOf(channel))
    }),
  )
})

test('a body that just fits travels alone, one byte more does not fit', () => {
  const withText = (length: number): Item => ({ channel: 'c', body: { text: 'x'.repeat(length) } })
  let length = 7_000
  while (fits(withText(length + 1))) length += 1
  const [pack, ...others] = packItems([withText(length)], () => Number.MAX_SAFE_INTEGER)
  assert.equal(others.length, 0)
  assert.ok(Buffer.byteLength(pack?.payload ?? '') <= notifyPayloadBytes)
  assert.ok(Buffer.byteLength(pack?.payload ?? '') > notifyPayloadBytes - 40)
})

test('what others notify on the channel is passed over', () => {
  for (const payload of ['', 'text', '{}', 'null', '[1]', '[1,[1,"x"],["c"],["c",null],["c",null,5]]'])
    assert.deepEqual(unpackItems(payload), [])
})
