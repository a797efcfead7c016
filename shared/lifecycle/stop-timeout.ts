// How long a part of the process may take to stop: so short that several in a row fit into what the drain has left for them.

import type { Config } from '../config/index.ts'

/** In milliseconds. */
export const stopTimeoutOf = ({ shutdownTimeoutMs }: Pick<Config, 'shutdownTimeoutMs'>): number =>
  Math.min(2_000, shutdownTimeoutMs / 10)
