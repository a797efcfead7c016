// Asks a process on its operations port whether it is ready, until it says so or the signal aborts.

import { get } from 'node:http'
import type { Clock } from '../../shared/time/index.ts'

const askEveryMs = 40
const answerWithinMs = 2_000

/** Resolves true when ready, false when aborted. */
export async function waitUntilReady(
  url: string,
  signal: AbortSignal,
  { clock }: { readonly clock: Clock },
): Promise<boolean> {
  for (;;) {
    if (signal.aborted) return false
    if (await answersOk(url)) return !signal.aborted
    await clock.sleep(askEveryMs, signal).catch(() => undefined)
  }
}

function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: answerWithinMs }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}
