// Sends one tick over HTTP.

import type { TickRequest } from './ping-source.ts'

/** Longest wait for an answer to a tick, in milliseconds: a scheduled function drains work for as long as its budget. */
const timeoutMs = 60_000

export async function sendTick({ url, headers, body }: TickRequest, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  })
  await answer.arrayBuffer()
  return answer.status
}
