import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionsInput, topicsInput } from '../../cli/terraform-inputs.ts'
import { conversationWorker } from '../../functions/conversation-worker/function.ts'
import { gateway } from '../../functions/gateway/function.ts'
import { allTopics } from '../../shared/events/index.ts'

test('Terraform is told of every topic: partitions, retention, compaction and size', () => {
  const { topics } = topicsInput() as { readonly topics: Readonly<Record<string, object>> }
  assert.deepEqual(
    Object.keys(topics),
    allTopics.map(({ name }) => name),
  )
  assert.deepEqual(topics['memory.wal'], {
    partitions: 8,
    retention_ms: 604_800_000,
    compacted: false,
    max_event_bytes: 1_000_000,
  })
})

test('Terraform is told what each function needs and which topics it reads and writes', () => {
  const { functions } = functionsInput([conversationWorker, gateway]) as { readonly functions: Record<string, object> }
  assert.deepEqual(functions['conversation-worker'], {
    kind: 'event',
    needs: ['postgres', 'redis', 'model'],
    uses: ['memory'],
    public: false,
    consumes: ['conversation.inbound', 'tool.results'],
    consumer_groups: ['conversation-worker-conversation-inbound', 'conversation-worker-tool-results'],
    produces: ['conversation.outbound', 'tool.requests', 'conversation.inbound'],
  })
  assert.deepEqual(functions['gateway'], {
    kind: 'http',
    needs: ['postgres', 'redis'],
    uses: [],
    public: true,
    consumes: [],
    consumer_groups: [],
    produces: ['conversation.inbound'],
  })
})
