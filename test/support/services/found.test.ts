import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findFirst } from './found.ts'

const has = (name: string, url: string) => ({ name, find: () => Promise.resolve({ url }) })
const lacks = (name: string, missing: string) => ({ name, find: () => Promise.resolve({ missing }) })
const throws = (name: string) => ({ name, find: () => Promise.reject(new Error('it broke')) })

test('the first source that has a server ends the search', async () => {
  const found = await findFirst('Server', [lacks('a', 'nothing'), throws('b'), has('c', 'third'), has('d', 'fourth')])
  assert.deepEqual(found, { available: true, url: 'third' })
})

test('when no source has one, the reason names what each lacked', async () => {
  const found = await findFirst('Server', [lacks('the cupboard', 'it is bare'), throws('the cellar')])
  assert.deepEqual(found, {
    available: false,
    reason: 'no Server (the cupboard: it is bare; the cellar: it broke)',
  })
})
