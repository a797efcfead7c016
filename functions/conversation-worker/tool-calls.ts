// The tool calls a model asked for, before they become events. What cannot be called is answered on the spot and told to the
// model like any other result; no event is made of it.

import { parseJson } from '../../shared/events/index.ts'
import type { ErrorCode } from '../../shared/errors/index.ts'
import type { ToolCall } from '../../shared/model/index.ts'

/** Calls of one round beyond this are refused. */
export const callsPerRound = 16
/** Longest arguments of one call, as UTF-8 JSON. */
export const argumentBytes = 64 * 1_024

export interface PlannedCall {
  /** Unique within the turn. */
  readonly callId: string
  /** Place in the round, from 1. */
  readonly number: number
  readonly tool: string
  readonly modelCallId: string
  /** JSON of an object, also when the model wrote something else: providers refuse a history with broken JSON. */
  readonly argumentsText: string
  readonly fate:
    | { readonly kind: 'request'; readonly args: Readonly<Record<string, unknown>> }
    | { readonly kind: 'answered'; readonly status: 'failed' | 'blocked'; readonly error: CallError }
}

export interface CallError {
  readonly code: ErrorCode
  readonly message: string
}

export interface PlanOptions {
  /** The round that these calls make up, from 1. */
  readonly round: number
  /** The tenant's catalogue: name → is it on? */
  readonly catalog: ReadonlyMap<string, boolean>
}

export function planCalls(calls: readonly ToolCall[], { round, catalog }: PlanOptions): readonly PlannedCall[] {
  const ids = calls.map(({ id }) => id)
  return calls.map((call, index): PlannedCall => {
    const callId = `c${round}-${index + 1}`
    const usable = call.id !== '' && call.id.length <= 256 && ids.indexOf(call.id) === ids.lastIndexOf(call.id)
    const tool = call.name === '' ? '(none)' : call.name.slice(0, 128)
    const parsed = parseArguments(call.arguments)
    const error = refusal(index, catalog.get(call.name), parsed)
    return {
      callId,
      number: index + 1,
      tool,
      modelCallId: usable ? call.id : callId,
      argumentsText: parsed.ok ? JSON.stringify(parsed.args) : '{}',
      fate:
        parsed.ok && error === undefined
          ? { kind: 'request', args: parsed.args }
          : {
              kind: 'answered',
              status: error?.code === 'tool_disabled' ? 'blocked' : 'failed',
              error: error ?? unreadable,
            },
    }
  })
}

export const openCalls = (calls: readonly PlannedCall[]): number =>
  calls.filter(({ fate }) => fate.kind === 'request').length

type Arguments =
  | { readonly ok: true; readonly args: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly why: string }

// A model that means "no arguments" sends nothing at all as often as it sends {}.
function parseArguments(text: string): Arguments {
  if (text.trim() === '') return { ok: true, args: {} }
  if (Buffer.byteLength(text) > argumentBytes) return { ok: false, why: `over ${argumentBytes} bytes` }
  const parsed = parseJson(text)
  if (!parsed.ok) return { ok: false, why: parsed.message }
  const { value } = parsed
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, why: 'not a JSON object' }
  return Object.keys(value).length > 256
    ? { ok: false, why: 'more than 256 properties' }
    : { ok: true, args: value as Record<string, unknown> }
}

const unreadable: CallError = { code: 'invalid_arguments', message: 'The arguments cannot be read' }

function refusal(index: number, enabled: boolean | undefined, parsed: Arguments): CallError | undefined {
  if (index >= callsPerRound)
    return { code: 'overloaded', message: `At most ${callsPerRound} tools are called at once; ask again for the rest` }
  if (enabled === undefined) return { code: 'unknown_tool', message: 'There is no tool of this name' }
  if (!enabled) return { code: 'tool_disabled', message: 'The tool is switched off' }
  return parsed.ok ? undefined : { code: 'invalid_arguments', message: `The arguments cannot be used: ${parsed.why}` }
}
