// What Knative or Kubernetes would refuse of all functions together, and what no contract can see by itself.
//
// C1  Names are DNS labels, and no two resources of a kind have one name.
// C2  Numbers are within what Knative's webhook takes, ports and variables are not its own.

import { parseCron } from '../../local/ping-source/index.ts'
import { dashed } from '../../local/platform/index.ts'
import { describeOptions, loadConfig } from '../../shared/config/index.ts'
import { messageOf, SluiceError } from '../../shared/errors/index.ts'
import type { FunctionPlan } from './plan-function.ts'
import type { TopicPlan } from './plan-topics.ts'
import { knativeLimits } from './knative-limits.ts'

export interface Plans {
  readonly functions: Readonly<Record<string, FunctionPlan>>
  readonly topics: Readonly<Record<string, TopicPlan>>
}

/** The folder of knative/rendered that belongs to no function. */
export const platformFolder = 'platform'

/** @throws SluiceError `invalid_definition`, naming what would be refused and why. */
export function checkPlans({ functions, topics }: Plans): void {
  for (const [name, plan] of Object.entries(functions)) checkFunction(name, plan)
  const sources = Object.values(functions).flatMap((plan) => plan.sources.map((source) => source.name))
  refuseTwins('KafkaSource', sources)
  refuseTwins('KafkaTopic', Object.keys(topics).map(dashed))
  const { operationsPort } = loadConfig({})
  if ((knativeLimits.reservedPorts as readonly number[]).includes(operationsPort))
    refuse(`SLUICE_OPERATIONS_PORT ${operationsPort} is a port of queue-proxy, which shares the network of the pod`)
}

function checkFunction(name: string, plan: FunctionPlan): void {
  if (name === platformFolder)
    refuse(`a function cannot be called ${platformFolder}: knative/rendered uses that folder`)
  for (const source of plan.sources) requireLabel(`KafkaSource ${source.name} of function ${name}`, source.name)
  requireLabel(`function ${name}`, name)
  if (plan.schedule !== undefined) requireSchedule(name, plan.schedule)
  const longest = knativeLimits.revisionTimeoutMs / 1_000
  const numbers = [
    ['containerConcurrency', plan.containerConcurrency, 0, knativeLimits.containerConcurrency],
    ['timeoutSeconds', plan.timeoutSeconds, 1, longest],
    ['responseStartTimeoutSeconds', plan.responseStartTimeoutSeconds, 1, plan.timeoutSeconds],
    ['idleTimeoutSeconds', plan.idleTimeoutSeconds ?? 0, 0, plan.timeoutSeconds],
  ] as const
  for (const [field, value, min, max] of numbers) {
    if (!Number.isInteger(value) || value < min || value > max)
      refuse(`function ${name}: ${field} would be ${value}, and Knative takes ${min} to ${max}`)
  }
}

/** @throws SluiceError `invalid_option` for variables that a values file sets and that are not for it to set. */
export function checkVariables(where: string, variables: readonly string[]): void {
  const known = new Set(describeOptions().map(({ variable }) => variable))
  for (const variable of variables) {
    if ((knativeLimits.reservedVariables as readonly string[]).includes(variable))
      throw new SluiceError(
        'invalid_option',
        `${where}: ${variable} is set by Knative, which refuses a Service that sets it`,
      )
    if (variable.startsWith('SLUICE_') && !known.has(variable))
      throw new SluiceError(
        'invalid_option',
        `${where}: ${variable} is not an option of Sluice; 'npx sluice options' lists them`,
      )
  }
}

function requireSchedule(name: string, schedule: string): void {
  try {
    parseCron(schedule)
  } catch (error) {
    refuse(`function ${name}: PingSource would refuse the schedule: ${messageOf(error)}`)
  }
}

function requireLabel(what: string, name: string): void {
  if (name.length > knativeLimits.nameLength || !/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name))
    refuse(`${what}: the name must be a DNS label of at most ${knativeLimits.nameLength} characters`)
}

function refuseTwins(kind: string, names: readonly string[]): void {
  const twin = names.find((name, at) => names.indexOf(name) !== at)
  if (twin !== undefined) refuse(`two resources of kind ${kind} would be called ${twin}`)
}

function refuse(problem: string): never {
  throw new SluiceError('invalid_definition', problem)
}
