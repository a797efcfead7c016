import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatEventLine, readEventLines, type EventLine } from '../../../local/replay/index.ts'
import type { CloudEvent } from '../../../shared/events/index.ts'

const event: CloudEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: '/sluice/gateway',
  type: 'shop.order.placed.v1',
  datacontenttype: 'application/json',
  data: { amount: 12.5, note: 'ü\n' },
  extensions: { partitionkey: 'k', sluicetopic: 'orders' },
}

async function collect(lines: AsyncIterable<EventLine>): Promise<readonly EventLine[]> {
  const collected: EventLine[] = []
  for await (const line of lines) collected.push(line)
  return collected
}

async function* given(...lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

test('a written line reads as the same event', async () => {
  const line = formatEventLine(event)
  assert.doesNotMatch(line, /\n/)
  assert.deepEqual(await collect(readEventLines(given(line))), [{ kind: 'event', line: 1, event }])
})

test('empty lines are skipped, and a line that is no event is named by its number', async () => {
  const read: readonly EventLine[] = await collect(readEventLines(given('', '{', '{"id":"x"}', formatEventLine(event))))
  assert.deepEqual(
    read.map(({ kind, line }) => `${line} ${kind}`),
    ['2 fault', '3 fault', '4 event'],
  )
})
