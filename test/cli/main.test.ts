import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { projectRoot, startChild } from '../support/index.ts'

async function sluice(t: TestContext, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = startChild(t, ['cli/main.ts', ...args], { cwd: projectRoot })
  const { code } = await child.exited({ limitMs: 20_000 })
  return { code, output: child.lines.join('\n') }
}

test('--help, and no command at all, list every command with what it does', async (t) => {
  for (const args of [['--help'], ['-h'], ['help'], []]) {
    const { code, output } = await sluice(t, ...args)
    assert.equal(code, 0)
    for (const name of ['start', 'chat', 'send', 'options', 'seed', 'record', 'replay']) {
      assert.match(output, new RegExp(`^  ${name} +\\S`, 'm'))
    }
  }
})

test('an unknown command ends with code 2 and the list of commands', async (t) => {
  const { code, output } = await sluice(t, 'strat')
  assert.equal(code, 2)
  assert.match(output, /no command 'strat'\. The commands are start, /)
  assert.equal((await sluice(t, 'toString')).code, 2)
})

test('--help after a command shows its usage and runs nothing', async (t) => {
  const { code, output } = await sluice(t, 'options', '--help')
  assert.equal(code, 0)
  assert.match(output, /^Usage: sluice options/)
})

test('an unknown option of a command ends with code 2 and its usage', async (t) => {
  const { code, output } = await sluice(t, 'options', '--no-such-option')
  assert.equal(code, 2)
  assert.match(output, /^sluice options: .*--no-such-option[^]*Usage: sluice options/)
})
