// What comes each minute on the minute, once a second: how far the clock is from there proves nothing.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sendTick } from '../../../local/ping-source/index.ts'

const everyMs = 1_000
const headers = { 'ce-specversion': '1.0', 'ce-source': '/test/faults', 'ce-type': 'dev.knative.sources.ping' }

/** Ticks for a scheduled function, one at a time. Resolves with how to end them. */
export function startTicks(url: string): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const running = (async () => {
    while (!signal.aborted) {
      const request = { url, headers: Object.entries({ ...headers, 'ce-id': randomUUID() }), body: '{}' }
      await sendTick(request, signal).catch(() => undefined) // the next one makes up for it
      await sleep(everyMs, undefined, { signal }).catch(() => undefined)
    }
  })()
  return async () => {
    ending.abort()
    await running
  }
}
