// What a contract must keep, checked when it is defined: a mistake shows at the first import, on the laptop, with the
// name of the function, the field at fault and the remedy, and not as a jammed partition in the cluster.

import { SluiceError } from '../errors/index.ts'
import {
  isAnyEvent,
  type Consumption,
  type EventFunction,
  type HttpFunction,
  type Scale,
  type ScheduledFunctionContract,
  type Size,
} from './contract.ts'

interface Named {
  readonly name: string
  readonly purpose: string
}

/**
 * Longest run, in milliseconds. Knative cuts every request at 600 s (the most a revision's timeoutSeconds may be), and the lane
 * driver gives up before, so that it is never Knative that ends a run.
 */
const longestRunMs = 570_000
const longestRequestMs = 600_000
// A DNS label, since the name becomes a Service; 50 leaves room for the suffix of a revision.
const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/

export function checkIdentity({ name, purpose }: Named): void {
  if (!kebabCase.test(name) || name.length > 50)
    refuse(name, `name '${name}' must be kebab-case, such as memory-replicator, and at most 50 characters`)
  if (purpose.trim() === '') refuse(name, 'purpose is empty; say in one sentence what the function is for')
}

export function checkScale({ name, scale }: { readonly name: string; readonly scale: Scale }): void {
  const { min, max, concurrency } = scale
  requireWithin(name, 'scale.min', { value: min, min: 0, max: 1_000 })
  requireWithin(name, 'scale.max', { value: max, min: Math.max(1, min), max: 1_000 })
  requireWithin(name, 'scale.concurrency', { value: concurrency, min: 1, max: 1_000 })
}

export function checkSize({ name, size }: { readonly name: string; readonly size?: Size }): void {
  if (size === undefined) return
  const { cpuMillicores, cpuLimitMillicores, memoryMiB } = size
  requireWithin(name, 'size.cpuMillicores', { value: cpuMillicores, min: 10, max: 64_000 })
  requireWithin(name, 'size.cpuLimitMillicores', { value: cpuLimitMillicores, min: cpuMillicores, max: 64_000 })
  // Node with a database driver does not start in less.
  requireWithin(name, 'size.memoryMiB', { value: memoryMiB, min: 96, max: 262_144 })
}

export function checkConsumes({ name, consumes, execution, produces }: EventFunction): void {
  checkProduces({ name, produces })
  if (isAnyEvent(consumes)) {
    if (execution !== 'stateless' && (consumes.topics ?? []).length === 0)
      refuse(
        name,
        `anyEvent has no schema, so only a stateless function may consume it, or name topics by anyEventOn; this one is '${execution}'`,
      )
    return
  }
  if (consumes.length === 0)
    refuse(name, 'consumes is empty; an event function consumes at least one type (for a timer use schedule)')
  checkPairs(name, 'consumes', consumes)
}

export function checkProduces({
  name,
  produces,
}: {
  readonly name: string
  readonly produces: readonly Consumption[]
}): void {
  checkPairs(name, 'produces', produces)
}

export function checkNeeds({ name, execution, needs }: EventFunction): void {
  if (execution !== 'stateless' && !needs.includes('postgres')) {
    refuse(
      name,
      `execution '${execution}' keeps its inbox in Postgres; add 'postgres' to needs, or make the function stateless`,
    )
  }
}

export function checkDelivery({ name, delivery }: EventFunction): void {
  const { attempts, backoff, timeoutMs, onExhausted = 'dead-letter' } = delivery
  requireWithin(name, 'delivery.attempts', { value: attempts, min: 1, max: 1_000 })
  requireWithin(name, 'delivery.timeoutMs', { value: timeoutMs, min: 10, max: longestRunMs })
  requireWithin(name, 'delivery.backoff.firstMs', { value: backoff.firstMs, min: 1, max: backoff.maxMs })
  requireWithin(name, 'delivery.backoff.maxMs', { value: backoff.maxMs, min: 1, max: 24 * 3_600_000 })
  if (onExhausted !== 'dead-letter' && onExhausted !== 'hold')
    refuse(name, `delivery.onExhausted is '${String(onExhausted)}'; expected 'dead-letter' or 'hold'`)
}

export function checkSource({ name, source }: EventFunction): void {
  const { outageMs, backoffMs, timeoutMs } = source
  requireWithin(name, 'source.outageMs', { value: outageMs, min: 1_000, max: 30 * 86_400_000 })
  requireWithin(name, 'source.backoffMs', { value: backoffMs, min: 10, max: 600_000 })
  requireWithin(name, 'source.timeoutMs', { value: timeoutMs, min: 1_000, max: longestRequestMs })
}

export function checkAnswers({ name, answerMs, stream }: HttpFunction): void {
  requireWithin(name, 'answerMs', { value: answerMs, min: 100, max: longestRunMs })
  if (stream === undefined) return
  requireWithin(name, 'stream.longestMs', { value: stream.longestMs, min: 1_000, max: longestRunMs })
  requireWithin(name, 'stream.heartbeatMs', { value: stream.heartbeatMs, min: 100, max: stream.longestMs })
}

export function checkSchedule({ name, schedule, budgetMs, produces = [] }: ScheduledFunctionContract): void {
  const periodMs = shortestPeriodMs(schedule)
  if (periodMs === undefined) refuse(name, `schedule '${schedule}' must be five cron fields, such as '*/5 * * * *'`)
  requireWithin(name, 'budgetMs', { value: budgetMs, min: 10, max: longestRunMs })
  if (budgetMs >= periodMs)
    refuse(name, `budgetMs ${budgetMs} must stay below the period of the schedule, ${periodMs} ms`)
  checkProduces({ name, produces })
}

function checkPairs(name: string, field: string, pairs: readonly Consumption[]): void {
  const seen = new Set<string>()
  for (const { topic, type } of pairs) {
    if (!topic.types.some((carried) => carried.type === type.type)) {
      const carried = topic.types.map((candidate) => candidate.type).join(', ')
      refuse(name, `${field}: topic ${topic.name} does not carry ${type.type}; it carries ${carried}`)
    }
    const pair = `${topic.name} ${type.type}`
    if (seen.has(pair)) refuse(name, `${field}: ${type.type} on ${topic.name} is named twice`)
    seen.add(pair)
  }
}

// Minutes decide the shortest gap between two ticks; coarser fields only make gaps longer.
function shortestPeriodMs(schedule: string): number | undefined {
  const fields = schedule.trim().split(/\s+/)
  const [minute] = fields
  if (fields.length !== 5 || minute === undefined || !fields.every((field) => /^[\d*,/A-Za-z-]+$/.test(field)))
    return undefined
  const step = /^(?:\*|\d+-\d+)\/([1-9]\d?)$/.exec(minute)?.[1]
  if (step !== undefined) return Number(step) * 60_000
  if (/^\d+$/.test(minute)) return 3_600_000
  return 60_000
}

interface Range {
  readonly value: number
  readonly min: number
  readonly max: number
}

function requireWithin(name: string, field: string, { value, min, max }: Range): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  refuse(name, `${field} is ${value}; expected a whole number from ${min} to ${max}`)
}

function refuse(name: string, problem: string): never {
  throw new SluiceError('invalid_definition', `function ${name === '' ? '(unnamed)' : name}: ${problem}`)
}
