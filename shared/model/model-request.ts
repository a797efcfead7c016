// What is asked of a chat model, and how it is written in the OpenAI chat-completions protocol.

export interface ToolCall {
  /** Unique within a conversation; the result refers to it. */
  readonly id: string
  readonly name: string
  /** JSON text as the model wrote it; it may not parse and may not fit the tool's schema. */
  readonly arguments: string
}

export type ModelMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string | null; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly toolCallId: string; readonly content: string }

export interface ToolDeclaration {
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments, of type object. */
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface ModelRequest {
  readonly model: string
  readonly messages: readonly ModelMessage[]
  readonly tools?: readonly ToolDeclaration[]
  /** 0 to 2. Unset: the model's default. */
  readonly temperature?: number
  /** Longest answer in tokens. Unset: the model's default. */
  readonly maxTokens?: number
  /**
   * Names the request at the provider, as the header X-Client-Request-Id: `<session>/<turn>`, so that its logs and ours
   * can be joined. Visible ASCII only.
   */
  readonly requestId?: string
}

/** The body of POST /chat/completions. Usage is asked for, since a stream leaves it out otherwise. */
export function encodeRequest({ model, messages, tools = [], temperature, maxTokens }: ModelRequest): string {
  return JSON.stringify({
    model,
    messages: messages.map(encodeMessage),
    stream: true,
    stream_options: { include_usage: true },
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  })
}

function encodeMessage(message: ModelMessage): object {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
  if (message.role !== 'assistant') return { role: message.role, content: message.content }
  const { content, toolCalls = [] } = message
  if (toolCalls.length === 0) return { role: 'assistant', content: content ?? '' }
  const calls = toolCalls.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function',
    function: { name, arguments: text },
  }))
  return { role: 'assistant', content, tool_calls: calls }
}
