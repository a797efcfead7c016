// How late the event loops of processes are, by what they tell themselves at /metrics.

import assert from 'node:assert/strict'
import type { SupervisedProcess } from '../../../local/runner/index.ts'

export interface Lag {
  readonly name: string
  readonly ms: number
}

/** The 99th percentile of the latest process since it was asked last: each question begins the measure anew. */
export async function longestLag(processes: readonly SupervisedProcess[]): Promise<Lag> {
  const lags = await Promise.all(
    processes.map(async ({ spec }): Promise<Lag> => {
      const response = await fetch(spec.readyUrl.replace('/ready', '/metrics'))
      const text = await response.text()
      const [, seconds] = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)/m.exec(text) ?? []
      assert.ok(seconds !== undefined, `${spec.name} does not tell the lag of its event loop`)
      return { name: spec.name, ms: Number(seconds) * 1_000 }
    }),
  )
  return lags.reduce((longest, lag) => (lag.ms > longest.ms ? lag : longest))
}
