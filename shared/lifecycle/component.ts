// Anything that holds a socket, timer or file. start() connects and on failure leaves nothing open; stop() drains within
// its own deadline, is idempotent and safe in any state; health() tells the last known state and does no I/O.

export interface ComponentHealth {
  readonly status: 'up' | 'down' | 'unknown'
  /** Wall clock, milliseconds since the epoch, of the last change or probe. */
  readonly at?: number
  /** A code, or a few plain words: no secrets, no addresses. `errorLabel` makes one of an error. */
  readonly error?: string
}

export interface Component {
  readonly name: string
  start(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
  health(): ComponentHealth
  /**
   * Where there is something beyond the process: asks it for a sign of life, and rejects without one. Called every few
   * seconds, so it costs little and changes nothing there.
   */
  probe?(signal: AbortSignal): Promise<void>
}
