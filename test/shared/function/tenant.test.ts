import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTenant } from '../../../shared/function/tenant.ts'

test('a tenant is up to 63 lower-case letters, digits, dots, dashes and underscores, and begins with a letter or digit', () => {
  for (const good of ['a', '0', 'acme', 'a.b-c_d', 'a'.repeat(63)]) assert.ok(isTenant(good), good)
  for (const bad of ['', '-a', '.a', 'A', 'a b', 'a/b', 'ä', '*', 'a\n', 'a'.repeat(64), undefined, 7, ['a']]) {
    assert.ok(!isTenant(bad), String(bad))
  }
})
