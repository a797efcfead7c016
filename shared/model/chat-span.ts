// The span of a model call, by OpenTelemetry's conventions for generative AI. Neither prompt nor answer is on it: what people
// say is not telemetry.

import { inSpan, noTracer, type SpanAttributes, type Tracer } from '../telemetry/index.ts'
import type { ModelAnswer } from './answer-builder.ts'
import type { ModelRequest } from './model-request.ts'

export interface ChatSpanDeps {
  readonly tracer?: Tracer | undefined
  readonly url: string
}

export const inChatSpan = (
  request: ModelRequest,
  { tracer = noTracer, url }: ChatSpanDeps,
  work: () => Promise<ModelAnswer>,
): Promise<ModelAnswer> =>
  inSpan(
    tracer,
    () => ({ name: `chat ${request.model}`, kind: 'client', attributes: asked(request, url) }),
    async (span) => {
      const answer = await work()
      span.set({
        'gen_ai.response.model': answer.model,
        'gen_ai.response.finish_reasons': [answer.finish],
        'gen_ai.usage.input_tokens': answer.usage.inputTokens,
        'gen_ai.usage.output_tokens': answer.usage.outputTokens,
      })
      return answer
    },
  )

function asked({ model, temperature, maxTokens, tools = [] }: ModelRequest, url: string): SpanAttributes {
  const { hostname, port } = URL.parse(url) ?? {}
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai', // the protocol; who speaks it is told by server.address
    'gen_ai.request.model': model,
    'gen_ai.request.temperature': temperature,
    'gen_ai.request.max_tokens': maxTokens,
    'sluice.tools_offered': tools.length,
    'server.address': hostname,
    'server.port': port === undefined || port === '' ? undefined : Number(port),
  }
}
