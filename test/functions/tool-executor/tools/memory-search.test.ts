import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createToolbox, resultBytes, type ToolOutcome } from '../../../../functions/tool-executor/toolbox.ts'
import { memorySearch } from '../../../../functions/tool-executor/tools/memory-search.ts'
import { createHttpMemory } from '../../../../shared/memory/index.ts'
import { createUntrustedOutbound } from '../../../../shared/resilience/index.ts'
import { createInstruments, createLogger } from '../../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../../shared/time/index.ts'
import { atEnd } from '../../../support/index.ts'
import { startMemory } from '../../support/memory.ts'

type Search = (query: string, more?: { readonly limit?: number; readonly tenant?: string }) => Promise<ToolOutcome>

function searchAt(t: TestContext, url: string | undefined): Search {
  const instruments = createInstruments({ function: 'test' })
  const log = createLogger({ function: 'test', level: 'silent' })
  const memory =
    url === undefined ? undefined : createHttpMemory({ url, recallTimeoutMs: 5_000 }, { clock, instruments })
  const outbound = createUntrustedOutbound({ dependency: 'http_fetch' }, { clock, instruments })
  const toolbox = createToolbox([memorySearch], { clock, instruments, log, outbound, memory })
  atEnd(t, () => memory?.stop())
  atEnd(t, () => toolbox.stop())
  return (query, { limit, tenant = 'local' } = {}) => {
    const args = { query, ...(limit === undefined ? {} : { limit }) }
    return toolbox.run(memorySearch, { args, tenant, idempotencyKey: 'k', signal: new AbortController().signal })
  }
}

interface Found {
  readonly found: readonly { readonly text: string; readonly score: number }[]
  readonly untrusted: true
}

const found = (outcome: ToolOutcome): Found => {
  assert.equal(outcome.status, 'succeeded', JSON.stringify(outcome))
  return (outcome as { readonly result: Found }).result
}

test('memory_search', { timeout: 60_000 }, async (t) => {
  const memory = await startMemory(t)
  const search = searchAt(t, memory.url)
  for (const content of ['The boiler was repaired in March', 'The boiler is old', `漢字 ${'長'.repeat(20_000)}`])
    await memory.remember({ content })
  const { position } = await memory.remember({ content: 'The boiler of another tenant' }, { tenant: 'other' })
  await memory.recall({ after: position, wait_ms: 10_000 }, { tenant: 'other' })

  await t.test('finds what the tenant’s conversations said, best first, and marks it untrusted', async () => {
    const result = found(await search('When was the boiler repaired?'))
    assert.deepEqual(
      result.found.map(({ text, score }) => [text, score]),
      [
        ['The boiler was repaired in March', 1],
        ['The boiler is old', 0.5],
      ],
    )
    assert.equal(result.untrusted, true)
  })

  await t.test('returns at most as many as were asked for, and nothing of another tenant', async () => {
    assert.equal(found(await search('boiler', { limit: 1 })).found.length, 1)
    assert.deepEqual(
      found(await search('boiler', { tenant: 'other' })).found.map(({ text }) => text),
      ['The boiler of another tenant'],
    )
    assert.deepEqual(found(await search('zeppelin')).found, [])
  })

  await t.test('keeps a result within its limit, whatever was said', async () => {
    for (let at = 0; at < 10; at += 1)
      await memory.remember({ key: `long${at}`, content: `漢字 ${'長'.repeat(20_000)}` })
    await memory.recall({ after: '1@long9', wait_ms: 10_000 })
    const result = found(await search('漢字', { limit: 10 }))
    assert.equal(result.found.length, 10)
    assert.ok(Buffer.byteLength(JSON.stringify(result)) <= resultBytes)
  })
})

test('without a memory-service the tool is off, and one that fails is a failed call', async (t) => {
  const off = await searchAt(t, undefined)('anything')
  assert.equal(off.status, 'blocked')
  const away = await searchAt(t, 'http://127.0.0.1:1')('anything')
  assert.equal(away.status, 'failed')
})
