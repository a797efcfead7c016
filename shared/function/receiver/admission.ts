// How many events one process works on at once. Beyond that a short queue, first in first out; beyond the queue a refusal
// that costs next to nothing, so that an overloaded process spends its time on what it has admitted (AWS Builders'
// Library, "Using load shedding to avoid overload").
//
// A1  running ≤ concurrency, waiting ≤ queue.
// A2  A place that is left goes to the one that has waited longest.

export interface AdmissionOptions {
  readonly concurrency: number
  /** Events that may wait for a place. */
  readonly queue: number
}

export interface Admission {
  /** Is there neither a place nor a place in the queue? Asked before a body is read. */
  full(): boolean
  /** Takes a place at once, waits for one, or is refused. Whoever got a place must leave. */
  enter(): 'entered' | 'refused' | Promise<void>
  leave(): void
  running(): number
  waiting(): number
  /** How many places were given back so far. */
  left(): number
}

export function createAdmission({ concurrency, queue }: AdmissionOptions): Admission {
  let running = 0
  let left = 0
  const waiting: (() => void)[] = []
  return {
    full: () => running >= concurrency && waiting.length >= queue,
    enter: () => {
      if (running < concurrency) {
        running += 1
        return 'entered'
      }
      if (waiting.length >= queue) return 'refused'
      return new Promise((resolve) => waiting.push(resolve))
    },
    leave: () => {
      left += 1
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next() // the place is handed on: running stays as it is
    },
    running: () => running,
    waiting: () => waiting.length,
    left: () => left,
  }
}
