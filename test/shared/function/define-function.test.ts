import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../shared/errors/index.ts'
import {
  conversationMessageReceived,
  toolCallFinished,
  toolCallRequested,
  topics,
  type CloudEvent,
} from '../../../shared/events/index.ts'
import {
  anyEvent,
  defaultDelivery,
  defaultSource,
  defineFunction,
  defineHttpFunction,
  type EventFunctionContract,
  type Consumes,
  type Execution,
  type Handler,
  type Need,
  type Resources,
} from '../../../shared/function/index.ts'

type Contract = EventFunctionContract<Consumes, Execution, readonly Need[]>

const contract: Contract = {
  name: 'memory-replicator',
  purpose: 'Tests definitions',
  consumes: [{ topic: topics.conversationInbound, type: conversationMessageReceived }],
  produces: [],
  execution: 'transaction',
  ordering: 'key',
  needs: ['postgres'],
  scale: { min: 0, max: 20, concurrency: 50 },
}

function refuses(what: string, change: Partial<Contract>, pattern: RegExp): void {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => defineFunction({ ...contract, ...change }),
      (error) => {
        assert.ok(error instanceof SluiceError)
        assert.equal(error.code, 'invalid_definition')
        assert.match(error.message, /^function /)
        assert.match(error.message, pattern)
        return true
      },
    )
  })
}

test('a good contract is kept as it is, frozen, with defaults for delivery and source', () => {
  const definition = defineFunction(contract)
  assert.deepEqual({ ...definition }, { kind: 'event', ...contract, delivery: defaultDelivery, source: defaultSource })
  assert.ok(Object.isFrozen(definition))
})

for (const name of ['MemoryReplicator', 'memory_replicator', '-a', 'a-', 'a--b', '1a', '', 'ä', 'a'.repeat(51)]) {
  refuses(`the name '${name}'`, { name }, /kebab-case/)
}
refuses('no purpose', { purpose: ' ' }, /purpose is empty/)
refuses('nothing consumed', { consumes: [] }, /for a timer use schedule/)
refuses('a topic that does not carry the type', { consumes: [{ topic: topics.toolResults, type: toolCallRequested }] }, /consumes: topic tool\.results does not carry tool\.call\.requested\.v1; it carries tool\.call\.finished\.v1/) // prettier-ignore
refuses('the same, produced', { produces: [{ topic: topics.toolResults, type: toolCallRequested }] }, /produces: topic tool\.results/) // prettier-ignore
refuses('a pair named twice', { consumes: [...(contract.consumes as []), ...(contract.consumes as [])] }, /named twice/)
refuses('state without Postgres', { needs: [] }, /add 'postgres' to needs, or make the function stateless/)
refuses('anyEvent with state', { consumes: anyEvent }, /only a stateless function/)
refuses(
  'no attempts',
  { delivery: { ...defaultDelivery, attempts: 0 } },
  /delivery\.attempts is 0; expected a whole number from 1/,
)
refuses(
  'an end of exhausted events that is none',
  { delivery: { ...defaultDelivery, onExhausted: 'drop' as 'hold' } },
  /delivery\.onExhausted is 'drop'; expected 'dead-letter' or 'hold'/,
)
refuses('a fractional timeout', { delivery: { ...defaultDelivery, timeoutMs: 10.5 } }, /delivery\.timeoutMs is 10\.5/)
refuses(
  'a timeout beyond what the lane driver and Knative let through',
  { delivery: { ...defaultDelivery, timeoutMs: 570_001 } },
  /570000/,
)
refuses(
  'a back-off that shrinks',
  { delivery: { ...defaultDelivery, backoff: { firstMs: 11, maxMs: 10 } } },
  /backoff\.firstMs is 11/,
)
refuses('no concurrency', { scale: { min: 0, max: 1, concurrency: 0 } }, /scale\.concurrency/)
refuses(
  'max below min',
  { scale: { min: 3, max: 2, concurrency: 1 } },
  /scale\.max is 2; expected a whole number from 3/,
)

refuses(
  'an outage of no time',
  { source: { outageMs: 999 } },
  /source\.outageMs is 999; expected a whole number from 1000/,
)
refuses('a wait for which the source has no timer', { source: { backoffMs: 0 } }, /source\.backoffMs is 0/)
refuses(
  'an answer that Knative would not wait for',
  { source: { timeoutMs: 600_001 } },
  /source\.timeoutMs is 600001; expected a whole number from 1000 to 600000/,
)
refuses(
  'less processor at most than at least',
  { size: { cpuMillicores: 200, cpuLimitMillicores: 100, memoryMiB: 256 } },
  /size\.cpuLimitMillicores is 100; expected a whole number from 200/,
)
refuses(
  'too little memory for Node',
  { size: { cpuMillicores: 100, cpuLimitMillicores: 100, memoryMiB: 95 } },
  /size\.memoryMiB is 95; expected a whole number from 96/,
)

test('what a source is told may be said in part', () => {
  const { source } = defineFunction({ ...contract, source: { outageMs: 60_000 } })
  assert.deepEqual(source, { ...defaultSource, outageMs: 60_000 })
})

test('limits hold at both ends', () => {
  for (const attempts of [1, 1_000]) defineFunction({ ...contract, delivery: { ...defaultDelivery, attempts } })
  for (const timeoutMs of [10, 570_000]) defineFunction({ ...contract, delivery: { ...defaultDelivery, timeoutMs } })
})

const scheduled = { name: 'task-worker', purpose: 'Tests schedules', needs: [], scale: contract.scale }

test('a schedule has a budget below its shortest period', () => {
  const define = (schedule: string, budgetMs: number) => () => defineFunction({ ...scheduled, schedule, budgetMs })
  for (const [schedule, budgetMs] of [['* * * * *', 59_999], ['*/5 * * * *', 299_999], ['0 3 * * *', 570_000]] as const) assert.doesNotThrow(define(schedule, budgetMs)) // prettier-ignore
  assert.throws(define('* * * * *', 60_000), /must stay below the period of the schedule, 60000 ms/)
  assert.throws(define('*/5 * * * *', 300_000), /300000/)
  assert.throws(define('0,1 * * * *', 60_000), /60000/)
  for (const schedule of ['* * * *', '* * * * * *', '@hourly', 'every minute !', '']) assert.throws(define(schedule, 1_000), /five cron fields/) // prettier-ignore
})

test('an HTTP function is checked by the same rules', () => {
  const http = { name: 'gateway', purpose: 'x', produces: [], needs: [], scale: contract.scale } as const
  assert.equal(defineHttpFunction(http).kind, 'http')
  assert.throws(() => defineHttpFunction({ ...http, name: 'Gateway' }), /kebab-case/)
  assert.throws(
    () => defineHttpFunction({ ...http, produces: [{ topic: topics.toolResults, type: toolCallRequested }] }),
    /does not carry/,
  )
  assert.equal(defineHttpFunction(http).answerMs, 60_000)
  assert.throws(() => defineHttpFunction({ ...http, answerMs: 570_001 }), /answerMs is 570001/)
  const stream = (longestMs: number, heartbeatMs: number) => () =>
    defineHttpFunction({ ...http, stream: { longestMs, heartbeatMs } })
  assert.doesNotThrow(stream(570_000, 15_000))
  assert.throws(stream(570_001, 15_000), /stream\.longestMs is 570001/)
  assert.throws(stream(10_000, 10_001), /stream\.heartbeatMs is 10001; expected a whole number from 100 to 10000/)
})

// What follows is proven by the compiler; the assertions only keep it in a test.

const union = defineFunction({
  ...contract,
  execution: 'steps',
  needs: ['postgres', 'redis'],
  consumes: [
    { topic: topics.conversationInbound, type: conversationMessageReceived },
    { topic: topics.toolResults, type: toolCallFinished },
  ],
})

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const proven = <T extends true>(value: T): T => value

test('the handler’s event is the union of what is consumed, narrowed by its type', () => {
  const handler: Handler<typeof union> = async (event, { step }) => {
    if (event.type === 'tool.call.finished.v1') {
      proven<Equal<typeof event.data.call_id, string>>(true)
      // @ts-expect-error -- a field of the other type
      void event.data.message
    } else {
      proven<Equal<typeof event.data.message, string>>(true)
      await step('x', { effect: 'read' }, async () => 1)
    }
  }
  assert.equal(typeof handler, 'function')
})

test('the context follows from the execution, and the resources from the needs', () => {
  const stateless = defineFunction({ ...contract, execution: 'stateless', consumes: anyEvent, needs: [] })
  const handler: Handler<typeof stateless> = async (event, context) => {
    proven<Equal<typeof event, CloudEvent>>(true)
    // @ts-expect-error -- no database at all
    void context.tx
  }
  const transaction: Handler<ReturnType<typeof transactional>> = async (_event, { tx, emit }) => void [tx, emit]
  const compose = (resources: Resources<typeof union>): unknown => {
    // @ts-expect-error -- not among the needs
    void resources.model
    return [resources.database, resources.channel]
  }
  const bare = (resources: Resources<typeof stateless>): unknown => {
    // @ts-expect-error -- not among the needs
    void resources.database
    return resources.log
  }
  assert.deepEqual(
    [handler, transaction, compose, bare].map((value) => typeof value),
    Array(4).fill('function'),
  )
})

const transactional = () => defineFunction({ ...contract, execution: 'transaction', needs: ['postgres'] })
