// Sinks that answer as a capture says, in virtual time, and remember what came. A sender for the twin's core.

import type { Clock } from '../../../shared/time/index.ts'
import type { SendOutcome, Sender, SinkRequest } from '../../../local/kafka-source/index.ts'
import type { ScriptedAnswer } from './capture.ts'

export interface SinkStep {
  readonly atMs: number
  readonly to: 'sink' | 'dls'
  /** The key of the record, else the id of its event. */
  readonly record: string
  readonly attempt: number
  readonly request: SinkRequest
}

export interface ScriptedSink extends Sender {
  readonly steps: readonly SinkStep[]
  readonly maxInFlight: () => number
}

/** The answer to an attempt (1 = the first) of a record. */
export type Script = (to: 'sink' | 'dls', record: string, attempt: number) => ScriptedAnswer

export interface ScriptedSinkOptions {
  readonly deadLetterUri: string | undefined
  /** URLs where nothing listens. */
  readonly closed: (url: string) => boolean
  readonly script: Script
}

export function createScriptedSink(
  { deadLetterUri, closed, script }: ScriptedSinkOptions,
  { clock }: { readonly clock: Clock },
): ScriptedSink {
  const steps: SinkStep[] = []
  const attempts = new Map<string, number>()
  let inFlight = 0
  let most = 0
  return {
    steps,
    maxInFlight: () => most,
    send: async (request, { timeoutMs, signal }) => {
      if (closed(request.url)) return { kind: 'broken', reason: 'connection refused' }
      const to = request.url === deadLetterUri ? 'dls' : 'sink'
      const record = headerOf(request, 'ce-key') ?? headerOf(request, 'ce-id') ?? ''
      const attempt = (attempts.get(`${to} ${record}`) ?? 0) + 1
      attempts.set(`${to} ${record}`, attempt)
      steps.push({ atMs: clock.now(), to, record, attempt, request })
      inFlight += 1
      most = Math.max(most, inFlight)
      try {
        return await answer(script(to, record, attempt), { timeoutMs, signal }, clock)
      } finally {
        inFlight -= 1
      }
    },
  }
}

export const headerOf = ({ headers }: SinkRequest, wanted: string): string | undefined =>
  headers.find(([name]) => name === wanted)?.[1]

async function answer(
  scripted: ScriptedAnswer,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  clock: Clock,
): Promise<SendOutcome> {
  if (typeof scripted === 'number') return { kind: 'answer', status: scripted, headers: [], body: Buffer.alloc(0) }
  const { status = 200, headers = {}, delayMs = 0, then, informational, drip, stall, close, reset } = scripted
  if (close !== undefined || reset !== undefined) return { kind: 'broken', reason: 'connection closed' }
  if (stall !== undefined)
    return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  if (drip !== undefined) await clock.sleep(drip.chunks * drip.everyMs, signal) // the head came at once
  else if (delayMs > timeoutMs) {
    await clock.sleep(timeoutMs, signal)
    return { kind: 'broken', reason: 'timeout' }
  } else if (delayMs > 0) await clock.sleep(delayMs, signal)
  // 303 with Location is followed by the HTTP client, see http-sender.test.ts; here its 200.
  const final = informational === undefined ? status : (then ?? 200)
  const followed = final === 303 && headers['location'] !== undefined ? 200 : final
  return {
    kind: 'answer',
    status: followed,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((one): readonly [string, string] => [name, one]),
    ),
    body: bodyOf(scripted),
  }
}

function bodyOf({ body = '', bodyHex }: Exclude<ScriptedAnswer, number>): Buffer {
  if (bodyHex !== undefined) return Buffer.from(bodyHex, 'hex')
  const [, text = '', times = '1'] = /^(.) × (\d+)$/.exec(body) ?? [body, body]
  return Buffer.from(text.repeat(Number(times)))
}
