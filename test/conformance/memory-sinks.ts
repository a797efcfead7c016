// Sinks without sockets, in virtual time: a sender that answers as scripted. No two answers come at quite the same moment,
// as over a network; so what a record's end leads to has happened before the next one ends.

import { isFolded, type SendOptions, type SendOutcome, type SinkRequest } from '../../local/kafka-source/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import type { ParserRefusal } from './capture.ts'
import { fromMemory } from './received-request.ts'
import { bodyOf, headersOf, scriptOf, type Script } from './scripted-answer.ts'
import { createSinkLedger, destinationOf, isClosed } from './sink-ledger.ts'
import type { Sinks, SinksOptions } from './sinks.ts'

const apartMs = 0.001
/** More than are ever in flight at once. */
const different = 128

/** `maxHeaderSize` of node:http: URL, names and values together. */
const headLimit = 16_384

export function createMemorySinks(
  { deadLetterUri, answerFor }: SinksOptions,
  { clock }: { readonly clock: Clock },
): Sinks {
  const ledger = createSinkLedger(answerFor, { clock })
  const refused: ParserRefusal[] = []

  async function send(request: SinkRequest, options: SendOptions): Promise<SendOutcome> {
    if (isClosed(request.url)) return { kind: 'broken', reason: 'connection refused' }
    const to = destinationOf(request.url, deadLetterUri)
    const refusal = refusalOf(request)
    if (refusal !== undefined) {
      refused.push({ to, ...refusal })
      return answered(refusal.status)
    }
    const { answer, number, end } = ledger.arrived(to, fromMemory(request))
    let how: 'answered' | 'closed' = 'closed'
    try {
      const script = scriptOf(answer)
      await waitFor(script, { ...options, extraMs: (number % different) * apartMs }, clock)
      const outcome = outcomeOf(script, options)
      how = outcome.kind === 'broken' && outcome.reason === timedOut ? 'closed' : 'answered'
      return outcome
    } finally {
      end(how)
    }
  }

  return {
    sender: { send },
    steps: ledger.steps,
    refused,
    maxInFlight: ledger.maxInFlight,
    close: () => Promise.resolve(),
  }
}

const timedOut = 'no head in time'

const answered = (status: number): SendOutcome => ({ kind: 'answer', status, headers: [], body: Buffer.alloc(0) })

/** Code and reason are the parser's own affair, see socket-sinks.ts. */
function refusalOf(request: SinkRequest): { readonly code: string; readonly status: number } | undefined {
  const size = request.headers.reduce((sum, [name, value]) => sum + name.length + value.length, request.url.length)
  if (size > headLimit) return { code: 'HPE_HEADER_OVERFLOW', status: 431 }
  return isFolded(request) ? { code: 'a folded header', status: 400 } : undefined
}

interface Wait extends SendOptions {
  readonly extraMs: number
}

/** Until the answer is whole. The time limit covers its head, which comes at once where the body drips or stalls. */
async function waitFor(
  { delayMs = 0, drip, stall }: Script,
  { timeoutMs, signal, extraMs }: Wait,
  clock: Clock,
): Promise<void> {
  if (stall !== undefined)
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  const wholeMs = drip === undefined ? Math.min(delayMs, timeoutMs) : drip.chunks * drip.everyMs
  await clock.sleep(wholeMs + extraMs, signal)
}

function outcomeOf(script: Script, { timeoutMs }: SendOptions): SendOutcome {
  const { status = 200, delayMs = 0, then = 200, informational, drip, close, reset } = script
  if (close !== undefined || reset !== undefined) return { kind: 'broken', reason: 'connection closed' }
  if (delayMs > timeoutMs) return { kind: 'broken', reason: timedOut }
  const final = drip?.status ?? (informational === undefined ? status : then)
  return { kind: 'answer', status: final, headers: headersOf(script), body: bodyOf(script) }
}
