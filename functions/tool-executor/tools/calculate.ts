// Arithmetic that a language model should not do by itself.

import { evaluateExpression, expressionLimits } from '../expression.ts'
import { defineTool } from '../tool.ts'

export const calculate = defineTool<{ readonly expression: string }>({
  name: 'calculate',
  description:
    'Calculates an arithmetic expression and returns the number. Understands + - * / % ^ ( ), pi, e, and functions such as ' +
    'sqrt, round, log10, sin, min, max. Use it for every calculation instead of calculating yourself.',
  parameters: {
    type: 'object',
    additionalProperties: false,
    required: ['expression'],
    properties: {
      expression: {
        type: 'string',
        minLength: 1,
        maxLength: expressionLimits.lengthMax,
        description: 'For example 17*23 or sqrt(2)/3. No separators between thousands.',
      },
    },
  },
  effect: 'read',
  limits: { timeoutMs: 2_000, concurrent: 32 },
  run: async ({ expression }) => evaluateExpression(expression),
})
