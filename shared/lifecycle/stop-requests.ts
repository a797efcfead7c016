// What may ask this process to end: a signal, or a fault nobody caught. The only user of process.on.
//
// The first request is handed over once. A second signal, in any phase, kills the process by that very signal, so that an
// impatient person and an orchestrator both see the truth in the exit status. Later faults are only reported: the stop is
// already under way.

export type StopRequest =
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'fault'; readonly source: 'uncaughtException' | 'unhandledRejection'; readonly error: unknown }

export interface StopRequestListener {
  /** The first request. */
  readonly onRequest: (request: StopRequest) => void
  /** Faults after the first request. */
  readonly onFurtherFault: (error: unknown) => void
}

const signals = ['SIGTERM', 'SIGINT'] as const

/** Listens until the returned function is called. */
export function listenForStopRequests({ onRequest, onFurtherFault }: StopRequestListener): () => void {
  let asked = false

  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) {
      for (const name of signals) process.off(name, onSignal)
      process.kill(process.pid, signal) // without a listener the signal has its default effect
      return
    }
    asked = true
    onRequest({ kind: 'signal', signal })
  }

  const onFault =
    (source: 'uncaughtException' | 'unhandledRejection') =>
    (error: unknown): void => {
      if (asked) return onFurtherFault(error)
      asked = true
      onRequest({ kind: 'fault', source, error })
    }
  const onException = onFault('uncaughtException')
  const onRejection = onFault('unhandledRejection')

  for (const name of signals) process.on(name, onSignal)
  process.on('uncaughtException', onException)
  process.on('unhandledRejection', onRejection)
  return () => {
    for (const name of signals) process.off(name, onSignal)
    process.off('uncaughtException', onException)
    process.off('unhandledRejection', onRejection)
  }
}
