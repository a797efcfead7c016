// Puts the chunks of an answer together.
//
// A1  Tool calls come out in the order of their indexes, whatever order their pieces came in.
// A2  Every call has an id of its own and a name; ids that a server left out or repeated are made up.
// A3  The answer stays below a cap: a model that talks without end is stopped.

import { SluiceError } from '../errors/index.ts'
import type { ChatChunk, ModelUsage, ToolCallPart } from './chat-chunk.ts'
import type { ToolCall } from './model-request.ts'

export interface ModelAnswer {
  readonly text: string
  readonly toolCalls: readonly ToolCall[]
  /** `tool_calls` whenever there are calls, unless they were cut off: then `length`. */
  readonly finish: 'stop' | 'tool_calls' | 'length' | 'content_filter'
  /** `estimated` when the server did not say: a quarter of the characters. */
  readonly usage: ModelUsage & { readonly estimated: boolean }
  /** As the server names it. */
  readonly model: string
}

/** A piece of the text. `index` counts the pieces of this call from 0. */
export interface TextDelta {
  readonly index: number
  readonly text: string
}

export interface AnswerBuilder {
  add(chunk: ChatChunk): void
  /** The server said how the answer ended: nothing that matters is missing. */
  readonly finished: boolean
  /** Something of an answer has arrived. */
  readonly begun: boolean
  build(asked: { readonly model: string; readonly bodyLength: number }): ModelAnswer
}

interface Slot {
  readonly index: number
  id: string
  name: string
  text: string
}

const mostToolCalls = 128

export function createAnswerBuilder(
  { maxChars, onDelta }: { readonly maxChars: number; readonly onDelta?: ((delta: TextDelta) => void) | undefined },
  { random }: { readonly random: () => number },
): AnswerBuilder {
  let text = ''
  let deltas = 0
  let chars = 0
  let finish: string | undefined
  let usage: ModelUsage | undefined
  let model: string | undefined
  const slots: Slot[] = []

  const grow = (length: number): void => {
    chars += length
    if (chars > maxChars || slots.length > mostToolCalls)
      throw new SluiceError(
        'response_too_large',
        `the answer of the model is over ${maxChars} characters or ${mostToolCalls} tool calls`,
      )
  }

  const addCall = (part: ToolCallPart): void => {
    const slot = slotOf(slots, part)
    if (part.id !== '') slot.id = part.id
    if (slot.name === '') slot.name = part.name
    slot.text += part.arguments
    grow(part.arguments.length)
  }

  return {
    add: (chunk) => {
      model ??= chunk.model
      finish = chunk.finish ?? finish
      usage = chunk.usage ?? usage
      for (const part of chunk.toolCalls) addCall(part)
      if (chunk.text === '') return
      text += chunk.text
      grow(chunk.text.length)
      onDelta?.({ index: deltas++, text: chunk.text })
    },
    get finished() {
      return finish !== undefined
    },
    get begun() {
      return finish !== undefined || text !== '' || slots.length > 0
    },
    build: (asked) => ({
      text,
      toolCalls: finishedCalls(slots, random),
      finish: finishOf(finish, slots.length > 0),
      usage:
        usage === undefined
          ? { ...estimate(asked.bodyLength, chars), estimated: true }
          : { ...usage, estimated: false },
      model: model ?? asked.model,
    }),
  }
}

/**
 * Which call a piece belongs to. By the protocol its index says so. Seen in servers that call themselves compatible:
 * index 0 for every call, each with an id and a name of its own; no index at all; ids repeated in each piece, or empty.
 */
function slotOf(slots: Slot[], { index, id, name }: ToolCallPart): Slot {
  const last = slots.at(-1)
  const begins = id !== '' && name !== ''
  const known =
    index !== undefined
      ? slots.findLast((slot) => slot.index === index && !(begins && slot.id !== '' && slot.id !== id))
      : id !== ''
        ? slots.findLast((slot) => slot.id === id)
        : name === ''
          ? last
          : undefined
  if (known !== undefined) return known
  const slot = { index: index ?? (last?.index ?? -1) + 1, id: '', name: '', text: '' }
  slots.push(slot)
  return slot
}

function finishedCalls(slots: readonly Slot[], random: () => number): readonly ToolCall[] {
  const taken = new Set<string>()
  const ordered = slots.toSorted((a, b) => a.index - b.index) // stable: equal indexes stay in order of arrival
  return ordered.map(({ id, name, text }) => {
    if (name === '') throw new SluiceError('model_malformed', 'the model sent a tool call without a name')
    const own = id === '' || taken.has(id) ? madeUpId(random) : id
    taken.add(own)
    return { id: own, name, arguments: text.trim() === '' ? '{}' : text }
  })
}

function madeUpId(random: () => number): string {
  const digits = Array.from({ length: 20 }, () => Math.floor(random() * 36).toString(36))
  return `call_${digits.join('')}`
}

function finishOf(finish: string | undefined, hasCalls: boolean): ModelAnswer['finish'] {
  if (finish === 'length' || finish === 'content_filter') return finish
  return hasCalls ? 'tool_calls' : 'stop'
}

const estimate = (asked: number, answered: number): ModelUsage => ({
  inputTokens: Math.ceil(asked / 4),
  outputTokens: Math.ceil(answered / 4),
})
