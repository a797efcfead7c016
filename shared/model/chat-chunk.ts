// Reads one object of the protocol: a chunk of a stream or a whole answer. Both carry the same parts, as `delta` or as
// `message`. Tolerant where servers differ, strict where a difference would lose something.

import { SluiceError } from '../errors/index.ts'

export interface ToolCallPart {
  /** Place of the call in the answer. Some servers leave it out. */
  readonly index: number | undefined
  readonly id: string
  readonly name: string
  /** A piece of the JSON text. */
  readonly arguments: string
}

export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
}

export interface ChatChunk {
  readonly model: string | undefined
  readonly text: string
  readonly toolCalls: readonly ToolCallPart[]
  /** As sent; empty texts count as none. */
  readonly finish: string | undefined
  readonly usage: ModelUsage | undefined
  /** Carries a piece of the model's reasoning, which is not part of the answer but shows that it works. */
  readonly thinking: boolean
  /** The server reports an error in place of an answer. */
  readonly error: unknown
}

type Json = Readonly<Record<string, unknown>>

/** @throws SluiceError `model_malformed` for anything that is not an object of the protocol. */
export function decodeChunk(text: string): ChatChunk {
  const json = parse(text)
  const error = isObject(json['error']) || typeof json['error'] === 'string' ? json['error'] : undefined
  const choices = json['choices']
  if (!Array.isArray(choices) && error === undefined) throw malformed('an object without choices')
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  const whole = isObject(choice) && isObject(choice['message'])
  const part = isObject(choice) ? (whole ? choice['message'] : choice['delta']) : undefined
  const body = isObject(part) ? part : {}
  return {
    model: wordOf(json['model']),
    text: contentOf(body['content']) + textOf(body['refusal']),
    toolCalls: toolCallsOf(body['tool_calls'], whole),
    finish: isObject(choice) ? wordOf(choice['finish_reason']) : undefined,
    usage: usageOf(json['usage']),
    thinking: textOf(body['reasoning_content']) !== '' || textOf(body['reasoning']) !== '',
    error,
  }
}

function parse(text: string): Json {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw malformed('something that is not JSON')
  }
  if (!isObject(json)) throw malformed('JSON that is not an object')
  return json
}

/** A whole answer may list parts of content; only texts are ours. */
function contentOf(content: unknown): string {
  if (!Array.isArray(content)) return textOf(content)
  return content.map((part: unknown) => (isObject(part) ? textOf(part['text']) : '')).join('')
}

/** In a whole answer the place in the list is the index. */
function toolCallsOf(calls: unknown, whole: boolean): readonly ToolCallPart[] {
  if (calls === undefined || calls === null) return []
  if (!Array.isArray(calls)) throw malformed('tool calls that are not a list')
  return calls.map((call: unknown, place) => {
    if (!isObject(call)) throw malformed('a tool call that is not an object')
    const called = isObject(call['function']) ? call['function'] : {}
    const index = whole ? place : Number.isInteger(call['index']) ? Number(call['index']) : undefined
    return { index, id: textOf(call['id']), name: textOf(called['name']), arguments: argumentsOf(called['arguments']) }
  })
}

/** Some servers send the arguments as an object instead of its text. */
const argumentsOf = (value: unknown): string => (isObject(value) ? JSON.stringify(value) : textOf(value))

function usageOf(usage: unknown): ModelUsage | undefined {
  if (!isObject(usage)) return undefined
  const { prompt_tokens: input, completion_tokens: output } = usage
  if (!isCount(input) || !isCount(output)) return undefined
  return { inputTokens: input, outputTokens: output }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const wordOf = (value: unknown): string | undefined => (textOf(value) === '' ? undefined : textOf(value))
const malformed = (what: string): SluiceError => new SluiceError('model_malformed', `the model sent ${what}`)
