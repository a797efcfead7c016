import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRests } from '../../../../shared/delivery/lanes/rests.ts'
import { createManualClock } from '../../../support/index.ts'

test('a function that is missed rests with growing back-off; an answer ends the row', async () => {
  const clock = createManualClock()
  const rests = createRests({ clock, random: () => 1 })
  const lengths: number[] = []
  for (let miss = 0; miss < 8; miss += 1) {
    lengths.push(rests.missed('a'))
    assert.deepEqual(rests.resting(), ['a'])
    await clock.advance(lengths.at(-1) ?? 0)
    assert.deepEqual(rests.resting(), [])
  }
  assert.deepEqual(lengths, [250, 450, 850, 1_650, 3_250, 5_050, 5_050, 5_050])
  rests.reached('a')
  assert.equal(rests.missed('a'), 250)
})

test('several lanes that miss a function together are one miss', async () => {
  const clock = createManualClock()
  const rests = createRests({ clock, random: () => 1 })
  assert.deepEqual([rests.missed('a'), rests.missed('a'), rests.missed('b')], [250, 250, 250])
  await clock.advance(100)
  assert.equal(rests.missed('a'), 150)
})
