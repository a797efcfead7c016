// Runs a tool under its limits and turns whatever happens into one of the outcomes that the conversation understands.
//
// B1  The arguments have passed the tool's schema before anything of the tool runs.
// B2  One breaker and bulkhead per tool, made once. A caller's mistake is no failure of the tool; a timeout is.
// B3  A result is JSON of at most `resultBytes`, without characters that Postgres or a terminal would choke on.
// B4  A cancelled run is not an outcome: it throws, so that the lane tries again.

import { Ajv, type ValidateFunction } from 'ajv'
import { SluiceError, type ErrorCode } from '../../shared/errors/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'
import type { Memory } from '../../shared/memory/index.ts'
import { createBreaker, type Breaker, type UntrustedOutbound } from '../../shared/resilience/index.ts'
import type { Instruments, Logger } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import type { Tool } from './tool.ts'

export type ToolOutcome =
  | { readonly status: 'succeeded'; readonly result: unknown }
  | {
      readonly status: 'failed' | 'timed_out' | 'blocked' | 'circuit_open' | 'unknown'
      readonly error: { readonly code: string; readonly message: string }
    }

export type ToolFailure = Exclude<ToolOutcome, { status: 'succeeded' }>

/** Largest result, as UTF-8 JSON. */
export const resultBytes = 60_000

export interface ToolboxDeps {
  readonly log: Logger
  readonly clock: Clock
  readonly instruments: Instruments
  readonly outbound: UntrustedOutbound
  readonly memory?: Pick<Memory, 'recall'> | undefined
}

export interface ToolRequest {
  readonly args: Readonly<Record<string, unknown>>
  readonly tenant: string
  readonly idempotencyKey: string
  readonly signal: AbortSignal
}

export interface Toolbox extends Component {
  find(name: string): { readonly tool: Tool; readonly refusal: (args: unknown) => ToolFailure | undefined } | undefined
  /** @throws SluiceError `overloaded` when as many calls of the tool run as may, and the reason of an aborted signal. */
  run(tool: Tool, request: ToolRequest): Promise<ToolOutcome>
}

export function createToolbox(tools: readonly Tool[], deps: ToolboxDeps): Toolbox {
  const { clock, outbound, memory, log, instruments } = deps
  const ajv = new Ajv({ allErrors: false, strict: true })
  const shelf = new Map(tools.map((tool) => [tool.name, shelve(tool, ajv.compile(tool.parameters), deps)]))

  return {
    find: (name) => {
      const found = shelf.get(name)
      return found === undefined ? undefined : { tool: found.tool, refusal: (args) => refusal(found.validate, args) }
    },
    run: async (tool, { args, tenant, idempotencyKey, signal }) => {
      const breaker = shelf.get(tool.name)?.breaker
      if (breaker === undefined) throw new SluiceError('unknown_tool', `There is no tool ${tool.name}`)
      const begun = clock.monotonic()
      const ended = <Outcome extends ToolOutcome>(outcome: Outcome): Outcome => {
        const seconds = (clock.monotonic() - begun) / 1_000
        instruments.toolSeconds.observe({ tool: tool.name, outcome: outcome.status }, seconds)
        return outcome
      }
      try {
        const result = await breaker.run(
          (call) => tool.run(args as never, { signal: call.signal, clock, outbound, tenant, memory, idempotencyKey }),
          { signal },
        )
        return ended(succeeded(result))
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof SluiceError && error.code === 'overloaded') throw error
        if (error instanceof SluiceError) return ended(failed(statusOf(error.code), error.code, error.message))
        log.error({ err: error, tool: tool.name }, 'a tool failed in an unexpected way')
        // Its message may hold anything.
        return ended(failed('failed', 'internal', 'The tool failed in an unexpected way'))
      }
    },
    name: 'toolbox',
    start: async () => undefined,
    stop: async () => shelf.forEach(({ breaker }) => breaker.stop()),
    health: () => ({ status: 'up' }),
  }
}

interface Shelved {
  readonly tool: Tool
  readonly validate: ValidateFunction
  readonly breaker: Breaker
}

function shelve(tool: Tool, validate: ValidateFunction, { clock, instruments }: ToolboxDeps): Shelved {
  const { timeoutMs, concurrent } = tool.limits
  const dependency = `tool ${tool.name}` as const
  const judge = tool.judge === undefined ? {} : { judge: tool.judge }
  return {
    tool,
    validate,
    breaker: createBreaker({ dependency, timeoutMs, capacity: concurrent, ...judge }, { clock, instruments }),
  }
}

function refusal(validate: ValidateFunction, args: unknown): ToolFailure | undefined {
  if (validate(args)) return undefined
  const [problem] = validate.errors ?? []
  const where = problem?.instancePath === '' ? 'the arguments' : problem?.instancePath.slice(1).replaceAll('/', '.')
  return failed('failed', 'invalid_arguments', `${where}: ${problem?.message ?? 'not valid'}`)
}

function succeeded(result: unknown): ToolOutcome {
  const json = JSON.stringify(result) ?? 'null'
  const bytes = Buffer.byteLength(json)
  if (bytes > resultBytes)
    return failed('failed', 'response_too_large', `The result has ${bytes} bytes; at most ${resultBytes} are passed on`)
  return {
    status: 'succeeded',
    result: JSON.parse(json, (_key, value: unknown) =>
      typeof value === 'string' ? storable(value) : value,
    ) as unknown,
  }
}

/** Postgres takes neither NUL nor lone surrogates in jsonb. */
const storable = (text: string): string => text.replaceAll('\u0000', '').toWellFormed()

function statusOf(code: ErrorCode): ToolFailure['status'] {
  switch (code) {
    case 'blocked_address':
    case 'blocked_url':
    case 'tool_disabled':
      return 'blocked'
    case 'dependency_timeout':
    case 'deadline_exceeded':
      return 'timed_out'
    case 'circuit_open':
    case 'overloaded':
      return 'circuit_open'
    default:
      return 'failed'
  }
}

/** An outcome that is not a success. */
export const failed = (status: ToolFailure['status'], code: ErrorCode, message: string): ToolFailure => ({
  status,
  error: { code, message: storable(message).slice(0, 2_000) },
})
