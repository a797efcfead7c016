// Gives back what it got. Shows that tools work at all.

import { defineTool } from '../tool.ts'

export const echo = defineTool<{ readonly text: string }>({
  name: 'echo',
  description: 'Returns the given text unchanged. Use it only when the person asks to echo or repeat something.',
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['text'],
    properties: { text: { type: 'string', maxLength: 16_384, description: 'The text to return.' } },
  },
  effect: 'read',
  limits: { timeoutMs: 1_000, concurrent: 64 },
  run: async ({ text }) => text,
})
