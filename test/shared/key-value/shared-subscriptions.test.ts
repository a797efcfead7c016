import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSharedSubscriptions } from '../../../shared/key-value/shared-subscriptions.ts'

/** A store that notes what it is asked, in the order of the answers. */
function notingStore({ failing = false } = {}) {
  const notes: string[] = []
  const shared = createSharedSubscriptions(async (name) => {
    await new Promise(setImmediate)
    if (failing) throw new Error('down')
    notes.push(`open ${name}`)
    return {
      stop: async () => {
        await new Promise(setImmediate)
        notes.push(`close ${name}`)
      },
    }
  })
  return { notes, shared }
}

test('the first to join opens, the last to leave closes', async () => {
  const { notes, shared } = notingStore()
  const [one, two] = await Promise.all([shared.join('a'), shared.join('a')])
  await one.stop()
  await one.stop()
  assert.deepEqual(notes, ['open a'])
  await two.stop()
  assert.deepEqual(notes, ['open a', 'close a'])
})

test('who joins while it is being closed gets one opened after the closing', async () => {
  const { notes, shared } = notingStore()
  const first = await shared.join('a')
  const leaving = first.stop()
  const second = await shared.join('a')
  await leaving
  assert.deepEqual(notes, ['open a', 'close a', 'open a'])
  await second.stop()
  assert.deepEqual(notes, ['open a', 'close a', 'open a', 'close a'])
})

test('an opening that fails fails those who wait for it, and the next to join tries again', async () => {
  const { notes, shared } = notingStore({ failing: true })
  for (let round = 0; round < 2; round += 1) await assert.rejects(shared.join('a'), /down/)
  assert.deepEqual(notes, [])
})

test('stop closes all', async () => {
  const { notes, shared } = notingStore()
  await shared.join('a')
  await shared.join('b')
  await shared.stop()
  assert.deepEqual(notes.toSorted(), ['close a', 'close b', 'open a', 'open b'])
})
