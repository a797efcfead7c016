// What a check sees of its sinks, whatever they are made of.

import type { Sender } from '../../local/kafka-source/index.ts'
import type { ParserRefusal } from './capture.ts'
import type { AnswerFor, SinkStep } from './sink-ledger.ts'

export interface Sinks {
  readonly sender: Sender
  readonly steps: readonly SinkStep[]
  /** What the HTTP parser of a sink refused before anything saw it. */
  readonly refused: readonly ParserRefusal[]
  readonly maxInFlight: () => number
  close(): Promise<void>
}

export interface SinksOptions {
  readonly deadLetterUri: string | undefined
  readonly answerFor: AnswerFor
}
