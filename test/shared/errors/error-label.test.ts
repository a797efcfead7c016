import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorLabel, SluiceError } from '../../../shared/errors/index.ts'

test('an error is labelled by its code, and never by what its message says', () => {
  const withCode = (code: unknown): Error => Object.assign(new Error('connect to ann:secret@db'), { code })
  const cases: readonly (readonly [unknown, string])[] = [
    [new SluiceError('database_unavailable', 'ann:secret@db'), 'database_unavailable'],
    [withCode('ECONNREFUSED'), 'ECONNREFUSED'],
    [withCode('57P01'), '57P01'],
    [withCode('ann:secret@db'), 'internal'],
    [withCode('db.internal'), 'internal'],
    [withCode(7), 'internal'],
    [new Error('ann:secret@db'), 'internal'],
    ['ann:secret@db', 'internal'],
    [undefined, 'internal'],
  ]
  for (const [error, label] of cases) assert.equal(errorLabel(error), label)
})
