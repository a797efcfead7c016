// Generated from schemas/events by shared/events/generate/main.ts. Change the schemas, not this file.

/**
 * A person asked the conversation for something other than an answer to a message.
 */
export interface ConversationActionRequested {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * What is asked for.
   */
  action: 'summarize' | 'next_steps' | 'status_report' | 'nudge' | 'pause' | 'resume' | 'cancel'
  /**
   * The turn that `cancel` means, or the turn in which an action that needs the model answers.
   */
  turn_id?: string
}

/**
 * A person sent a message to a conversation. Produced by the gateway, which chose the turn id.
 */
export interface ConversationMessageReceived {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * The turn within the conversation.
   */
  turn_id: string
  /**
   * What the person wrote, as text.
   */
  message: string
  /**
   * What to do when a turn is running; default is the session's.
   */
  strategy?: 'enqueue' | 'interrupt' | 'reject'
  /**
   * The persona that answers; default is the session's.
   */
  persona_id?: string
  /**
   * The client's own notes, kept with the message and never read by the platform.
   */
  metadata?: {
    [k: string]: string
  }
}

/**
 * The turn ended with an answer.
 */
export interface ConversationTurnCompleted {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * The turn within the conversation.
   */
  turn_id: string
  /**
   * The final text for the person.
   */
  answer: string
  /**
   * How often the model asked for tools before it answered.
   */
  tool_rounds: number
  /**
   * The model as it named itself.
   */
  model: string
  /**
   * Tokens over all model calls of the turn.
   */
  usage: {
    /**
     * Tokens sent to the model.
     */
    input_tokens: number
    /**
     * Tokens the model wrote.
     */
    output_tokens: number
  }
}

/**
 * The turn ended without an answer. The last event of the turn.
 */
export interface ConversationTurnFailed {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * The turn within the conversation.
   */
  turn_id: string
  /**
   * Why, from a closed list: the codes of shared/errors where there is one, else the rule of the turn that ended it.
   */
  reason:
    | 'model_rate_limited'
    | 'model_overloaded'
    | 'model_unavailable'
    | 'model_timeout'
    | 'model_context_too_long'
    | 'model_auth'
    | 'model_bad_request'
    | 'model_malformed'
    | 'model_cut'
    | 'deadline_exceeded'
    | 'tool_rounds_exceeded'
    | 'cancelled'
    | 'interrupted'
    | 'turn_running'
    | 'attempts_exhausted'
    | 'internal'
  /**
   * For a reader; never a secret and never a stack.
   */
  detail: string
}

/**
 * Something that a watching person wants to know happened within a turn.
 */
export interface ConversationTurnProgressed {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * The turn within the conversation.
   */
  turn_id: string
  /**
   * What happened.
   */
  phase: 'tool-started' | 'tool-finished' | 'model-retried'
  /**
   * The tool call within the turn, as the worker numbered it.
   */
  call_id?: string
  /**
   * Name of the tool as the model asked for it.
   */
  tool?: string
  /**
   * How the tool call ended; the same words as in tool.call.finished.
   */
  status?: 'succeeded' | 'failed' | 'timed_out' | 'blocked' | 'circuit_open' | 'unknown'
  /**
   * For a reader; never a secret and never a stack.
   */
  detail?: string
}

/**
 * The worker began to work on a message or an action.
 */
export interface ConversationTurnStarted {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * The turn within the conversation.
   */
  turn_id: string
}

/**
 * A memory was written, forgotten or stated anew. The writes of a key are a chain: each has the next sequence and the checksum of the one before.
 */
export interface MemoryRecordWritten {
  /**
   * The memory within its tenant. The key of the topic is `<tenant>/<key>`.
   */
  key: string
  /**
   * Number of this write of the key, from 1 without a gap.
   */
  sequence: number
  /**
   * `remember`: this is the memory now. `forget`: there is none, and earlier writes are erased.
   */
  operation: 'remember' | 'forget'
  /**
   * The replica takes this write although writes before it are missing: a person asked for the present state.
   */
  restated?: boolean
  /**
   * What kind of memory it is, such as `conversation`.
   */
  namespace: string
  /**
   * The conversation it comes from.
   */
  session_id?: string
  /**
   * What is remembered. Empty when it is forgotten.
   */
  content: string
  /**
   * ISO 639 code of the language whose word stems find it; `und` when it is not known.
   */
  language: string
  /**
   * The writer's own notes, never read by the platform.
   */
  metadata: {
    [k: string]: string
  }
  /**
   * When memory-service wrote it.
   */
  written_at: string
  /**
   * Checksum of the write before; 64 zeros for the first.
   */
  previous: string
  /**
   * SHA-256 over the tenant and everything else in here, in hexadecimal digits.
   */
  checksum: string
}

/**
 * A tool call ended, one way or another. Resumes the turn when it is the last open one.
 */
export interface ToolCallFinished {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * The turn within the conversation.
   */
  turn_id: string
  /**
   * The tool call within the turn, as the worker numbered it.
   */
  call_id: string
  /**
   * Name of the tool as the model asked for it.
   */
  tool: string
  /**
   * How it ended. `unknown`: an effect that may run only once was started and its end was not seen.
   */
  status: 'succeeded' | 'failed' | 'timed_out' | 'blocked' | 'circuit_open' | 'unknown'
  /**
   * What the tool returned, any JSON; the tool executor keeps it at or below 64 KiB of text. Present when it succeeded.
   */
  result?: unknown
  /**
   * What went wrong. Present when it did not succeed.
   */
  error?: {
    /**
     * A code of shared/errors.
     */
    code: string
    /**
     * For the model and the person; never a secret.
     */
    message: string
  }
}

/**
 * The model asked for a tool. Produced by the conversation worker, one event a call.
 */
export interface ToolCallRequested {
  /**
   * The conversation. Also the key of the topic.
   */
  session_id: string
  /**
   * The turn within the conversation.
   */
  turn_id: string
  /**
   * The tool call within the turn, as the worker numbered it.
   */
  call_id: string
  /**
   * Name of the tool as the model asked for it.
   */
  tool: string
  /**
   * Arguments as the model gave them; the tool's own schema judges them.
   */
  arguments: {
    [k: string]: unknown
  }
  /**
   * After this moment nobody waits for the result.
   */
  deadline_at?: string
}
