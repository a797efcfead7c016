import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPlans, checkVariables, type Plans } from '../../../cli/knative/check-plans.ts'
import { planFunction, type FunctionPlan } from '../../../cli/knative/plan-function.ts'
import { planTopics } from '../../../cli/knative/plan-topics.ts'
import { toolExecutor } from '../../../functions/tool-executor/function.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { topics } from '../../../shared/events/index.ts'

const plan = planFunction(toolExecutor)
const plansOf = (functions: Readonly<Record<string, FunctionPlan>>): Plans => ({ functions, topics: planTopics() })

const refused = (run: () => void, code: string, pattern: RegExp): void =>
  assert.throws(run, (error) => error instanceof SluiceError && error.code === code && pattern.test(error.message))

test('plans that fit are left alone', () => {
  checkPlans(plansOf({ 'tool-executor': plan }))
})

test('what Knative would refuse is refused here, by name', () => {
  const wrong: readonly (readonly [Partial<FunctionPlan>, RegExp])[] = [
    [{ timeoutSeconds: 601 }, /timeoutSeconds would be 601, and Knative takes 1 to 600/],
    [{ timeoutSeconds: 0 }, /timeoutSeconds would be 0/],
    [{ responseStartTimeoutSeconds: 601 }, /responseStartTimeoutSeconds would be 601/],
    [{ idleTimeoutSeconds: 601 }, /idleTimeoutSeconds would be 601/],
    [{ containerConcurrency: 1_001 }, /containerConcurrency would be 1001, and Knative takes 0 to 1000/],
    [{ schedule: '61 * * * *' }, /function tool-executor: PingSource would refuse the schedule: .*minute/],
    [{ containerConcurrency: 0.5 }, /containerConcurrency would be 0\.5/],
  ]
  for (const [change, pattern] of wrong)
    refused(() => checkPlans(plansOf({ 'tool-executor': { ...plan, ...change } })), 'invalid_definition', pattern)
})

test('names are DNS labels, and no two sources or topics share one', () => {
  const [source] = plan.sources
  assert.ok(source !== undefined)
  const long = { ...plan, sources: [{ ...source, name: 'a'.repeat(64) }] }
  refused(() => checkPlans(plansOf({ long })), 'invalid_definition', /must be a DNS label of at most 63/)
  refused(() => checkPlans(plansOf({ a: plan, b: plan })), 'invalid_definition', /two resources of kind KafkaSource would be called tool-executor-tool-requests/) // prettier-ignore
  refused(() => checkPlans(plansOf({ platform: plan })), 'invalid_definition', /cannot be called platform/)
  const alike = planTopics([topics.toolRequests, { ...topics.toolRequests, name: 'tool_requests' }])
  refused(() => checkPlans({ functions: {}, topics: alike }), 'invalid_definition', /KafkaTopic would be called tool-requests/) // prettier-ignore
})

test('values set no variable of Knative and none that does not exist', () => {
  checkVariables('values.yaml', ['LOG_LEVEL', 'SLUICE_DATABASE_POOL_SIZE', 'NOTIFICATIONS_JANITOR_ENABLED'])
  refused(
    () => checkVariables('values.yaml', ['K_SERVICE']),
    'invalid_option',
    /values\.yaml: K_SERVICE is set by Knative/,
  )
  refused(() => checkVariables('values.yaml', ['SLUICE_POOL']), 'invalid_option', /SLUICE_POOL is not an option/)
})
