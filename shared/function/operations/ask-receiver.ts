// Does the serving port take connections and answer? Asked as a stranger would: by a new connection, so that a listener that
// was lost, or a process out of file descriptors, is noticed.

import { request } from 'node:http'
import { SluiceError } from '../../errors/index.ts'

/** Addresses that mean every address; one asks oneself on loopback. */
const anyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** @throws what the socket threw, or SluiceError `dependency_failed`. */
export function askReceiver(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: anyAddress[host] ?? host, port, path: '/live', agent: false, signal }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve())
      answer.once('close', () => reject(new SluiceError('dependency_failed', 'the answer was cut')))
    })
    asked.once('error', reject)
    asked.end()
  })
}
