// The request as the rehearsal model reads it: the part of the chat-completions protocol that it knows, checked.

export interface ChatToolCall {
  readonly id: string
  readonly name: string
  /** JSON text, not necessarily valid. */
  readonly arguments: string
}

export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls: readonly ChatToolCall[] }
  | { readonly role: 'tool'; readonly toolCallId: string; readonly content: string }

export interface OfferedTool {
  readonly name: string
  /** Names of the arguments that it declares. */
  readonly parameters: readonly string[]
}

export interface ChatRequest {
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly messages: readonly ChatMessage[]
  /** Empty when tools are forbidden by `tool_choice: none`. */
  readonly tools: readonly OfferedTool[]
}

export type ReadRequest =
  | { readonly ok: true; readonly request: ChatRequest }
  | { readonly ok: false; readonly message: string }

type Json = Readonly<Record<string, unknown>>

export function readChatRequest(body: string): ReadRequest {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return refuse('We could not parse the JSON body of your request.')
  }
  if (!isObject(json)) return refuse('The body must be an object.')
  const { model, messages, tools, stream, stream_options: streamOptions, tool_choice: toolChoice } = json
  if (typeof model !== 'string' || model === '') return refuse("You must provide a 'model' parameter.")
  if (!Array.isArray(messages) || messages.length === 0) return refuse("'messages' must be a list that is not empty.")
  const read = messages.map(readMessage)
  const bad = read.findIndex((message) => message === undefined)
  if (bad >= 0) return refuse(`'messages.${bad}' is not a message.`)
  const known = read.filter((message) => message !== undefined)
  const orphan = unansweredCall(known)
  if (orphan !== undefined)
    return refuse(
      `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id': ${orphan}`,
    )
  const offered = toolChoice === 'none' || !Array.isArray(tools) ? [] : tools.flatMap(readTool)
  const includeUsage = isObject(streamOptions) && streamOptions['include_usage'] === true
  return { ok: true, request: { model, stream: stream === true, includeUsage, messages: known, tools: offered } }
}

function readMessage(message: unknown): ChatMessage | undefined {
  if (!isObject(message)) return undefined
  const { role, tool_call_id: toolCallId, tool_calls: calls } = message
  const content = contentOf(message['content'])
  if (role === 'tool') return typeof toolCallId === 'string' ? { role, toolCallId, content } : undefined
  if (role === 'assistant') return { role, content, toolCalls: Array.isArray(calls) ? calls.flatMap(readCall) : [] }
  if (role === 'user') return { role, content }
  return role === 'system' || role === 'developer' ? { role: 'system', content } : undefined
}

function readCall(call: unknown): ChatToolCall[] {
  if (!isObject(call) || typeof call['id'] !== 'string' || !isObject(call['function'])) return []
  const { name, arguments: text } = call['function']
  return typeof name === 'string' ? [{ id: call['id'], name, arguments: typeof text === 'string' ? text : '{}' }] : []
}

function readTool(tool: unknown): OfferedTool[] {
  const declared = isObject(tool) && isObject(tool['function']) ? tool['function'] : {}
  const { name, parameters } = declared
  if (typeof name !== 'string') return []
  const properties =
    isObject(parameters) && isObject(parameters['properties']) ? Object.keys(parameters['properties']) : []
  return [{ name, parameters: properties }]
}

/** Real providers refuse a history in which a tool call has no answer; so does the rehearsal. */
function unansweredCall(messages: readonly ChatMessage[]): string | undefined {
  const open = new Set<string>()
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(message.toolCallId)) return message.toolCallId
    } else {
      const [first] = open
      if (first !== undefined) return first
      if (message.role === 'assistant') for (const { id } of message.toolCalls) open.add(id)
    }
  }
  return [...open][0]
}

function contentOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('')
}

/** Messages from the last one of the person on: the present turn. */
export function presentTurn(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const at = messages.findLastIndex(({ role }) => role === 'user')
  return at < 0 ? [] : messages.slice(at)
}

/** What the person said last. */
export const lastQuestion = (messages: readonly ChatMessage[]): string => presentTurn(messages)[0]?.content ?? ''

/** How often tools were called in the present turn. */
export const roundOf = (messages: readonly ChatMessage[]): number =>
  presentTurn(messages).filter((message) => message.role === 'assistant' && message.toolCalls.length > 0).length

const refuse = (message: string): ReadRequest => ({ ok: false, message })
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
