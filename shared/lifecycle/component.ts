// Anything that holds a socket, timer or file. start() connects and on failure leaves nothing open; stop() drains within
// its own deadline, is idempotent and safe in any state; health() tells the last known state and does no I/O.

export interface ComponentHealth {
  readonly status: 'up' | 'down' | 'unknown'
  /** Wall clock, milliseconds since the epoch, of the last change or probe. */
  readonly at?: number
  /** Short text without secrets or addresses. */
  readonly error?: string
}

export interface Component {
  readonly name: string
  start(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
  health(): ComponentHealth
}
