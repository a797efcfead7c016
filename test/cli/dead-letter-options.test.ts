import assert from 'node:assert/strict'
import { test } from 'node:test'
import { command } from '../../cli/commands/dead-letters.ts'
import { filterOf, limitOf, meantBy, numberOf, parseDeadLetterArgs } from '../../cli/dead-letter-options.ts'

const valuesOf = (...args: readonly string[]) => parseDeadLetterArgs(args).values

test('a time is ISO 8601 or an age', () => {
  const { since, until } = filterOf(valuesOf('--since', '2h', '--until', '2026-01-02T03:04:05+01:00'))
  assert.ok(Math.abs(Date.now() - 7_200_000 - Date.parse(since ?? '')) < 60_000)
  assert.equal(until, '2026-01-02T02:04:05.000Z')
  for (const text of ['yesterday', '2w', '']) assert.throws(() => filterOf(valuesOf('--since', text)), /--since/)
})

test('everything is meant only when that is said', () => {
  assert.throws(() => meantBy([], valuesOf()), /say --all/)
  assert.equal(meantBy([], valuesOf('--all')).function, undefined)
  assert.equal(meantBy([], valuesOf('--function', 'f')).function, 'f')
  assert.deepEqual(meantBy(['a'], valuesOf()).ids, ['a'])
})

test('numbers are checked', () => {
  assert.equal(limitOf(valuesOf(), 7), 7)
  assert.equal(limitOf(valuesOf('--limit', '99999'), 7), 99_999)
  for (const text of ['0', '100000', 'x', '1.5']) assert.throws(() => limitOf(valuesOf('--limit', text), 7), /--limit/)
  assert.equal(numberOf('rate', '0.5'), 0.5)
  for (const text of ['0', 'x', '-1', '1e9']) assert.throws(() => numberOf('rate', text), /--rate/)
})

test('an unknown verb ends with code 2, and what is no id is refused', async () => {
  assert.equal(await command.run(['bury']), 2)
  assert.equal(await command.run(['list', '0199b7a0-0000-7000-8000-000000000000']), 2)
  await assert.rejects(command.run(['show', "x'; DROP"]), { code: 'invalid_option' })
  await assert.rejects(command.run(['replay', '--bogus']), { code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION' })
})
