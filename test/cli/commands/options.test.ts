import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderTable } from '../../../cli/commands/options.ts'
import { describeOptions } from '../../../shared/config/index.ts'
import { projectRoot, startChild } from '../../support/index.ts'

const rows = [
  { name: 'port', variable: 'PORT', default: '8080', help: 'Serving port. Knative sets it; 0 takes a free one.' },
  { name: 'host', variable: 'SLUICE_HOST', default: '127.0.0.1', help: 'Address.' },
]

test('columns line up, and a meaning is broken where the terminal ends', () => {
  assert.equal(
    renderTable(rows, 61),
    [
      'NAME  VARIABLE     DEFAULT    MEANING',
      'port  PORT         8080       Serving port. Knative sets it;',
      '                              0 takes a free one.',
      'host  SLUICE_HOST  127.0.0.1  Address.',
    ].join('\n'),
  )
})

test('a pipe, and a terminal too narrow for a column, get whole lines', () => {
  for (const width of [undefined, 40]) assert.equal(renderTable(rows, width).split('\n').length, 3)
})

test('every declared option is in the table that the command prints', async (t) => {
  const child = startChild(t, ['cli/main.ts', 'options'], { cwd: projectRoot })
  assert.equal((await child.exited({ limitMs: 20_000 })).code, 0)
  for (const { name, variable, help } of describeOptions()) {
    assert.ok(child.lines.some((line) => line.startsWith(`${name} `) && line.includes(variable) && line.endsWith(help)))
  }
})

test('--json prints the same as JSON', async (t) => {
  const child = startChild(t, ['cli/main.ts', 'options', '--json'], { cwd: projectRoot })
  await child.exited({ limitMs: 20_000 })
  assert.deepEqual(JSON.parse(child.lines.join('\n')), describeOptions())
})
