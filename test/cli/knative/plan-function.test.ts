import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planFunction } from '../../../cli/knative/plan-function.ts'
import { topics } from '../../../shared/events/index.ts'
import { anyEventOn, defineFunction, defineHttpFunction, type Execution } from '../../../shared/function/index.ts'

const identity = { name: 'planned', purpose: 'Tests plans', needs: ['postgres'], scale: { min: 0, max: 3, concurrency: 20 } } as const // prettier-ignore

const eventFunction = (execution: Execution, timeoutMs = 10_000) =>
  defineFunction({
    ...identity,
    consumes: anyEventOn([topics.toolRequests]),
    produces: [],
    execution,
    ordering: 'key',
    delivery: { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs },
  })

test('a function with lanes has all the time Knative gives, because the lane driver waits nearly as long', () => {
  for (const execution of ['steps', 'transaction'] as const) {
    const { timeoutSeconds, responseStartTimeoutSeconds, idleTimeoutSeconds } = planFunction(eventFunction(execution))
    assert.deepEqual([timeoutSeconds, responseStartTimeoutSeconds, idleTimeoutSeconds], [600, 600, undefined])
  }
})

test('a function without lanes has the time of its longest run and a margin, and never less than a drain takes', () => {
  assert.equal(planFunction(eventFunction('stateless', 10_000)).timeoutSeconds, 90)
  assert.equal(planFunction(eventFunction('stateless', 200_000)).timeoutSeconds, 224)
  const tick = defineFunction({ ...identity, schedule: '*/5 * * * *', budgetMs: 120_000 })
  assert.equal(planFunction(tick).timeoutSeconds, 145)
  assert.equal(planFunction(tick).schedule, '*/5 * * * *')
})

test('only a function that streams has an idle timeout, longer than its heartbeat and its other answers', () => {
  const http = { ...identity, produces: [], answerMs: 20_000 }
  assert.equal(planFunction(defineHttpFunction(http)).idleTimeoutSeconds, undefined)
  const stream = { longestMs: 500_000, heartbeatMs: 15_000 }
  const plan = planFunction(defineHttpFunction({ ...http, stream, exposure: 'public' }))
  assert.deepEqual([plan.timeoutSeconds, plan.idleTimeoutSeconds, plan.exposure], [600, 30, 'public'])
})

test('queue-proxy lets through what the process has places and queues for; the autoscaler aims at its places', () => {
  const plan = planFunction(eventFunction('steps'))
  assert.deepEqual([plan.containerConcurrency, plan.scale.target], [80, 20])
  const wide = { ...eventFunction('steps'), scale: { min: 0, max: 1, concurrency: 400 } }
  assert.equal(planFunction(wide).containerConcurrency, 1_000)
})

test('a source for each topic carries the whole delivery section, its group and the topic for the function', () => {
  assert.deepEqual(planFunction(eventFunction('steps')).sources, [
    {
      name: 'planned-tool-requests',
      topic: 'tool.requests',
      consumerGroup: 'planned-tool-requests',
      initialOffset: 'earliest',
      ordering: 'ordered',
      delivery: { retry: 120, backoffPolicy: 'linear', backoffDelay: 'PT0.5S', timeout: 'PT30S' },
      deadLetterSink: 'tool-requests-dlq',
      extensions: { sluicetopic: 'tool.requests' },
    },
  ])
})

test('secrets follow from what a function needs and uses, resources from its size', () => {
  const plan = planFunction({
    ...eventFunction('steps'),
    needs: ['postgres', 'redis', 'model', 'kafka'],
    uses: ['memory'],
  })
  assert.deepEqual(plan.secrets, ['database', 'redis', 'model', 'memory', 'kafka'])
  const sizeOf = (cpuMillicores: number, cpuLimitMillicores: number, memoryMiB: number) =>
    planFunction({ ...eventFunction('steps'), size: { cpuMillicores, cpuLimitMillicores, memoryMiB } }).resources
  assert.deepEqual(sizeOf(50, 500, 128), { requests: { cpu: '50m', memory: '128Mi' }, limits: { cpu: '500m', memory: '128Mi' } }) // prettier-ignore
  assert.deepEqual(sizeOf(1_000, 2_000, 1_024), { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } }) // prettier-ignore
})
