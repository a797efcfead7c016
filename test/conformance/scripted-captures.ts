// What the sinks of a delivery capture are to answer.

import type { DeliveryCapture } from './capture.ts'
import { answerOf, repeating, scriptOf } from './scripted-answer.ts'
import type { AnswerFor } from './sink-ledger.ts'

export function answersOf(capture: DeliveryCapture): AnswerFor {
  const { sinkAnswers, deadLetterAnswers, observed } = capture
  if (isRaceOfAnswerAndClose(capture)) return answersOfRace(capture)
  const redirects = observed.sequence.filter(({ to }) => to === 'redirect').map(({ answer }) => answerOf(answer))
  return ({ to, record, attempt }) => {
    if (to === 'redirect') return redirects.shift() ?? 200
    if (to === 'dls') return repeating(deadLetterAnswers ?? [200], attempt)
    if (record === 'marker') return 200
    if (sinkAnswers !== null && sinkAnswers !== undefined) return repeating(sinkAnswers, attempt)
    const step = observed.sequence.find((one) => one.to === 'sink' && one.record === record && one.attempt === attempt)
    const answer = answerOf(step?.answer ?? 200)
    // The only capture of several records with such an answer does not script it.
    return answer === 422 && !observed.deadLettered ? { status: 422, headers: { 'kne-error-code': 'E42' } } : answer
  }
}

/** An early answer with the body unread: whether the client sees it or a broken connection is a race. */
export const isRaceOfAnswerAndClose = ({ sinkAnswers }: DeliveryCapture): boolean =>
  sinkAnswers?.some((answer) => scriptOf(answer).early === 'close') === true

/** Such a sink looked at the head only. */
export const isAnsweredEarly = ({ sinkAnswers }: DeliveryCapture): boolean =>
  sinkAnswers?.some((answer) => scriptOf(answer).early !== undefined) === true

/** The captured end of the race: broken until the last attempt, which was seen if the dead letter has a code. */
function answersOfRace({ sinkAnswers, deadLetterAnswers, observed, deadLetterRequest }: DeliveryCapture): AnswerFor {
  const attempts = observed.sequence.filter(({ to, record }) => to === 'sink' && record !== 'marker').length
  const wasSeen = deadLetterRequest?.headers['ce-knativeerrorcode'] !== undefined
  return ({ to, record, attempt }) => {
    if (to === 'dls') return repeating(deadLetterAnswers ?? [200], attempt)
    if (record === 'marker') return 200
    const { early: _, ...seen } = scriptOf(repeating(sinkAnswers ?? [413], attempt))
    return attempt === attempts && wasSeen ? seen : { ...seen, close: 'before' }
  }
}
