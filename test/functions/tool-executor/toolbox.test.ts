import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import { createUntrustedOutbound } from '../../../shared/resilience/index.ts'
import { createInstruments, createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { defineTool, type Tool } from '../../../functions/tool-executor/tool.ts'
import { createToolbox, resultBytes, type Toolbox, type ToolOutcome } from '../../../functions/tool-executor/toolbox.ts'
import { tools as allTools } from '../../../functions/tool-executor/tools/index.ts'
import { atEnd } from '../../support/index.ts'

const parameters = {
  type: 'object',
  additionalProperties: false,
  required: ['count'],
  properties: { count: { type: 'integer', minimum: 0 }, note: { type: 'string', maxLength: 5 } },
} as const

const defaults = {
  name: 'probe',
  description: 'A tool of this test.',
  parameters,
  effect: 'read',
  limits: { timeoutMs: 1_000, concurrent: 4 },
} as const

function openToolbox(t: TestContext, tools: readonly Tool[]): Toolbox {
  const instruments = createInstruments({ function: 'test' })
  const log = createLogger({ function: 'test', level: 'silent' })
  const outbound = createUntrustedOutbound({ dependency: 'http_fetch' }, { clock: systemClock, instruments })
  const toolbox = createToolbox(tools, { clock: systemClock, instruments, log, outbound })
  atEnd(t, () => toolbox.stop())
  return toolbox
}

function probe(
  t: TestContext,
  tool: Partial<Tool>,
): { run: (signal?: AbortSignal) => Promise<ToolOutcome>; toolbox: Toolbox } {
  const defined = defineTool<never>({ ...defaults, run: async () => null, ...tool })
  const toolbox = openToolbox(t, [defined])
  const run = (signal = new AbortController().signal): Promise<ToolOutcome> =>
    toolbox.run(defined, { args: { count: 1 }, tenant: 'local', idempotencyKey: 'k', signal })
  return { run, toolbox }
}

test('arguments that are missing, extra, of another type or too large are refused before the tool runs', (t) => {
  const { toolbox } = probe(t, {})
  const found = toolbox.find('probe')
  const bad: readonly unknown[] = [
    {},
    { count: '1' },
    { count: 1.5 },
    { count: 1, extra: 1 },
    { count: 1, note: 'longer' },
    [],
    null,
    'x',
    { count: -1 },
  ]
  for (const args of bad) {
    const refusal = found?.refusal(args)
    assert.equal(refusal?.status, 'failed', JSON.stringify(args))
    assert.equal(refusal.error.code, 'invalid_arguments')
  }
  assert.equal(found?.refusal({ count: 0, note: '12345' }), undefined)
})

test('a name that is no tool finds nothing, whatever it is', (t) => {
  const { toolbox } = probe(t, {})
  for (const name of ['nope', 'constructor', '__proto__', '']) assert.equal(toolbox.find(name), undefined)
})

test('what a tool throws becomes an outcome by its code, and foreign errors keep their text to themselves', async (t) => {
  const cases: readonly (readonly [unknown, string, string])[] = [
    [new SluiceError('blocked_address', 'private'), 'blocked', 'blocked_address'],
    [new SluiceError('blocked_url', 'scheme'), 'blocked', 'blocked_url'],
    [new SluiceError('dependency_timeout', 'slow'), 'timed_out', 'dependency_timeout'],
    [new SluiceError('calculation_failed', 'no'), 'failed', 'calculation_failed'],
    [new Error('password=hunter2'), 'failed', 'internal'],
    [undefined, 'failed', 'internal'],
  ]
  for (const [thrown, status, code] of cases) {
    const outcome = await probe(t, { run: () => Promise.reject(thrown) }).run()
    assert.equal(outcome.status, status)
    assert.ok(outcome.status !== 'succeeded' && outcome.error.code === code)
    assert.doesNotMatch(JSON.stringify(outcome), /hunter2/)
  }
})

test('a tool that does not end is cut at its time limit, also when it ignores its signal', async (t) => {
  const outcome = await probe(t, { limits: { timeoutMs: 30, concurrent: 1 }, run: () => new Promise(() => {}) }).run()
  assert.equal(outcome.status, 'timed_out')
})

test('W-33a: bad calls do not open the breaker of a tool, timeouts do', async (t) => {
  const caller = probe(t, { run: () => Promise.reject(new SluiceError('calculation_failed', 'no')) })
  for (let i = 0; i < 30; i += 1) assert.equal((await caller.run()).status, 'failed')

  const slow = probe(t, { limits: { timeoutMs: 5, concurrent: 40 }, run: () => new Promise(() => {}) })
  await Promise.all(Array.from({ length: 12 }, () => slow.run()))
  const refused = await slow.run()
  assert.equal(refused.status, 'circuit_open')
  assert.equal(refused.error.code, 'circuit_open')
})

test('a call beyond the bulkhead is told apart, so that it can wait in its lane', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { run } = probe(t, { limits: { timeoutMs: 5_000, concurrent: 2 }, run: () => gate.promise })
  const running = [run(), run()]
  await assert.rejects(run(), { code: 'overloaded' })
  gate.resolve()
  await Promise.all(running)
})

test('a cancelled run throws its reason and is no outcome', async (t) => {
  const cancel = new AbortController()
  const { run } = probe(t, { run: () => new Promise(() => {}) })
  const outcome = run(cancel.signal)
  cancel.abort(new SluiceError('lease_lost', 'gone'))
  await assert.rejects(outcome, { code: 'lease_lost' })
})

/** A string of so many bytes as JSON. */
const text = (bytes: number): string => 'x'.repeat(bytes - 2)

test('a result may have as many bytes as the limit and not one more', async (t) => {
  assert.equal((await probe(t, { run: async () => text(resultBytes - 1) }).run()).status, 'succeeded')
  assert.equal((await probe(t, { run: async () => text(resultBytes) }).run()).status, 'succeeded')
  const over = await probe(t, { run: async () => text(resultBytes + 1) }).run()
  assert.ok(over.status === 'failed' && over.error.code === 'response_too_large')
})

test('a result holds nothing that Postgres refuses', async (t) => {
  const outcome = await probe(t, { run: async () => ({ text: 'a\u0000b\uD800', nothing: undefined }) }).run()
  assert.deepEqual(outcome, { status: 'succeeded', result: { text: 'ab\uFFFD' } })
})

test('every tool closes its schema, describes itself and has an own name', () => {
  for (const tool of allTools) {
    assert.equal(tool.parameters.additionalProperties, false)
    assert.ok(tool.description.length > 20)
    assert.match(tool.name, /^[a-z][a-z0-9_]*$/)
  }
  assert.equal(new Set(allTools.map(({ name }) => name)).size, allTools.length)
})
