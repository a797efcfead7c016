// Ctrl-C, SIGTERM and a closed terminal: the first asks for an orderly end, a later one ends at once.
//
// Under `npm start` a terminal's Ctrl-C arrives twice, once from the terminal and once from npm, so a repeat within a second
// is the same request.

export interface StopRequests {
  /** Resolves with the first request. */
  readonly requested: Promise<NodeJS.Signals>
  /** Aborts with it. */
  readonly signal: AbortSignal
  forget(): void
}

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const sameRequestMs = 1_000

export function untilStopRequested(): StopRequests {
  const abort = new AbortController()
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let firstAt: number | undefined

  const onSignal = (name: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      abort.abort(new Error(name))
      resolve(name)
    } else if (performance.now() - firstAt > sameRequestMs) {
      forget()
      process.kill(process.pid, name) // the processes that it started end with it
    }
  }
  const forget = (): void => {
    for (const name of names) process.off(name, onSignal)
  }
  for (const name of names) process.on(name, onSignal)
  return { requested: promise, signal: abort.signal, forget }
}
