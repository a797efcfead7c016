// Data for an event that tests may emit.

import type { ToolCallFinished } from '../../../shared/events/index.ts'

/** Data that the schema of tool.call.finished takes. */
export const finished = (callId: string, sessionId = 's'): ToolCallFinished => ({
  session_id: sessionId,
  turn_id: 't',
  call_id: callId,
  tool: 'echo',
  status: 'succeeded',
  result: null,
})
