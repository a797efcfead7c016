// One call of the model as a journalled step: after a crash an answer that was complete is not asked for again.

import type { StepsContext } from '../../shared/delivery/index.ts'
import type { Channel } from '../../shared/key-value/index.ts'
import type { ModelAnswer, ModelClient, ModelRequest } from '../../shared/model/index.ts'
import type { RecalledMemory } from '../../shared/memory/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import { createDeadline, type Clock } from '../../shared/time/index.ts'
import { createDeltaPublisher } from './delta-publisher.ts'
import { buildPrompt } from './prompt.ts'
import type { Recall } from './recall-memories.ts'
import type { ConversationKey } from './session-scene.ts'
import type { ModelProfile, TurnView } from './turn-view.ts'

export interface AskDeps {
  readonly model: Pick<ModelClient, 'complete'>
  readonly channel: Channel
  readonly clock: Clock
  readonly log: Logger
  readonly recall: Recall
}

export interface Question {
  readonly key: ConversationKey
  readonly turnId: string
  readonly view: TurnView
  /** Overrides the profile's model. '' leaves it. */
  readonly modelName: string
  /** Aborts when the turn is to stop. */
  readonly stop: AbortSignal
}

export type Asked =
  | { readonly kind: 'answered'; readonly answer: ModelAnswer }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: unknown }

/** @throws the reason of the run's own signal: then the lane decides, not the turn. */
export async function askModel(context: StepsContext, question: Question, deps: AskDeps): Promise<Asked> {
  const { key, turnId, view, stop } = question
  const round = view.rounds + 1
  try {
    const answer = await context.step(`model-${round}`, { effect: 'read' }, async ({ signal }) => {
      const deltas = createDeltaPublisher({ key, turnId, round, attempt: context.attempt }, deps)
      const parent = AbortSignal.any([signal, stop])
      const deadline = createDeadline({ ms: Math.max(1, view.remainingMs), what: 'the turn', parent }, deps)
      try {
        const onDelta = ({ text }: { readonly text: string }): void => deltas.add(text)
        const text = view.history.at(-1)?.text ?? ''
        const memories = await deps.recall({ key, text, signal: deadline.signal })
        return await deps.model.complete(requestOf(question, memories), { signal: deadline.signal, onDelta })
      } finally {
        deadline.cancel()
        await deltas.flush()
      }
    })
    return { kind: 'answered', answer }
  } catch (error) {
    context.signal.throwIfAborted()
    return stop.aborted ? { kind: 'stopped' } : { kind: 'failed', error }
  }
}

/** What holds when neither the tenant nor the platform has a profile. */
const defaultProfile: ModelProfile = {
  model: 'default',
  temperature: null,
  maxOutputTokens: null,
  contextTokens: 16_000,
  maxToolRounds: 8,
}

export const profileOf = ({ profile }: TurnView): ModelProfile => profile ?? defaultProfile

/** Room for the answer where the profile does not say, in tokens. */
const answerTokens = 1_024

export function requestOf(
  { key, turnId, view, modelName }: Omit<Question, 'stop'>,
  memories: readonly RecalledMemory[] = [],
): ModelRequest {
  const { model, temperature, maxOutputTokens, contextTokens, maxToolRounds } = profileOf(view)
  // When the rounds are used up, tools are not offered any more, so that the model must answer.
  const offered = view.rounds < maxToolRounds ? view.tools.filter(({ enabled }) => enabled) : []
  const tools = offered.map(({ name, description, parameters }) => ({ name, description, parameters }))
  const toolTokens = Math.ceil(JSON.stringify(tools).length / 4)
  const budgetTokens = contextTokens - (maxOutputTokens ?? answerTokens) - toolTokens
  return {
    model: modelName === '' ? model : modelName,
    messages: buildPrompt({ instructions: view.instructions, memories, history: view.history, budgetTokens }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(temperature === null ? {} : { temperature }),
    ...(maxOutputTokens === null ? {} : { maxTokens: maxOutputTokens }),
    requestId: `${key.sessionId}/${turnId}`,
  }
}
