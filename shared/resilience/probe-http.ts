// A sign of life of an HTTP dependency: any answer below 500 that does not refuse our credentials. What is at the path does not
// matter: 404 comes from a service that is there.

import { SluiceError } from '../errors/index.ts'
import type { Outbound } from './outbound/index.ts'

export interface HttpProbeOptions {
  /** Name for messages, from a closed set. */
  readonly dependency: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

/** @throws SluiceError `dependency_failed`, `dependency_timeout`, `forbidden`. */
export async function probeHttp(
  { dependency, ...request }: HttpProbeOptions,
  { outbound, signal }: { readonly outbound: Outbound; readonly signal: AbortSignal },
): Promise<void> {
  const answer = await outbound.request({ method: 'GET', ...request }, { signal })
  await answer.discard()
  const { status } = answer
  if (status >= 500) throw new SluiceError('dependency_failed', `${dependency} answered ${status}`)
  if (status === 401 || status === 403) throw new SluiceError('forbidden', `${dependency} refuses our credentials`)
}
