// The last lines of a process: what the turn of the event loop that ends it had to say is written before it is gone.

import type { Logger } from '../telemetry/index.ts'

export function flushAtExit(log: Pick<Logger, 'flush'>): void {
  process.once('exit', () => log.flush())
}
