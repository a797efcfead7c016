// The kinds of work that people and functions do with the platform, each done for real: the proof that it is healed.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { followSession, sendMessage } from '../../../local/conversation-client/index.ts'
import { memoryTenantHeader } from '../../../shared/memory/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'

export interface OperationsOptions {
  readonly gatewayUrl: string
  readonly memoryUrl: string
}

/** One operation: rejects when it did not succeed. */
export type Operation = (signal: AbortSignal) => Promise<void>

export const operationsOf = (options: OperationsOptions): ReadonlyMap<string, Operation> =>
  new Map([
    ['a turn with a tool, watched', (signal) => turn(options, signal)],
    ['a memory, recalled from the replica', (signal) => remember(options, signal)],
    ['a page of sessions', (signal) => list(options, signal)],
  ])

/** Through gateway, log, worker, model, tool-executor and channel: durable events and pieces of the answer are seen. */
async function turn({ gatewayUrl }: OperationsOptions, signal: AbortSignal): Promise<void> {
  const { sessionId, turnId } = await sendMessage({ gatewayUrl, message: 'What is 6*7?', signal }, { clock })
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  let pieces = 0
  try {
    for await (const item of followSession({ gatewayUrl, sessionId, after: 0, signal: either }, { clock })) {
      if (item.kind === 'delta') pieces += 1
      if (item.kind !== 'event' || item.turnId !== turnId) continue
      if (item.type === 'conversation.turn.failed.v1') assert.fail(`the turn failed: ${JSON.stringify(item.data)}`)
      if (item.type !== 'conversation.turn.completed.v1') continue
      assert.match(String(item.data['answer']), /42/)
      assert.ok(pieces > 0, 'no piece of the answer came: the channel is not heard')
      return
    }
  } finally {
    done.abort()
  }
  signal.throwIfAborted()
}

async function remember({ memoryUrl }: OperationsOptions, signal: AbortSignal): Promise<void> {
  const key = randomUUID()
  const written = await ask(
    `${memoryUrl}/v1/memory/remember`,
    { key, content: `the ferry ${key} leaves at noon` },
    signal,
  )
  const question = { query: key, after: String(written['position']), wait_ms: 5_000 }
  const { memories } = await ask(`${memoryUrl}/v1/memory/recall`, question, signal)
  assert.equal((memories as readonly { key: string }[])[0]?.key, key)
}

async function list({ gatewayUrl }: OperationsOptions, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${gatewayUrl}/v1/sessions?limit=5`, { signal })
  await response.arrayBuffer()
  assert.equal(response.status, 200)
}

async function ask(url: string, body: object, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
    [memoryTenantHeader]: 'local',
  }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal })
  const answer = (await response.json()) as Readonly<Record<string, unknown>>
  assert.ok(response.ok, `${url} answered ${response.status} ${String(answer['code'])}`)
  return answer
}
