// One step of thought: call tools, tell what they returned, or just talk. Pure: the same request gives the same reply.

import { lastQuestion, roundOf, type ChatRequest, type ChatToolCall } from '../chat-request.ts'
import { reportResults } from './report-results.ts'
import { talk } from './talk.ts'
import { understand } from './understand.ts'

export type Reply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'calls'; readonly calls: readonly ChatToolCall[] }

/** `seed` makes ids that differ between requests and stay the same for a repeated one. */
export function think(request: ChatRequest, seed: string): Reply {
  const { calls, remarks } = understand(lastQuestion(request.messages), request.tools)
  if (roundOf(request.messages) > 0) return says([reportResults(request.messages), ...remarks])
  if (calls.length > 0) {
    const written = calls.map(({ tool, args }, index) => ({
      id: `call_${seed.slice(0, 20)}_${index}`,
      name: tool,
      arguments: JSON.stringify(args),
    }))
    return { kind: 'calls', calls: written }
  }
  return says(remarks.length > 0 ? remarks : [talk(request)])
}

const says = (sentences: readonly string[]): Reply => ({
  kind: 'text',
  text: sentences.filter((one) => one !== '').join(' '),
})
