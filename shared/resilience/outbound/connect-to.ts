// A connector for undici that opens connections to given addresses and nowhere else, one after the other until one
// answers. The name stays in SNI (and thereby in the check of the certificate) and in Host.

import type { buildConnector } from 'undici'
import type { Target } from './check-url.ts'

export function connectTo(
  addresses: readonly string[],
  target: Target,
  dial: buildConnector.connector,
): buildConnector.connector {
  const secure = target.url.protocol === 'https:'
  return (options, callback) => {
    const attempt = (index: number): void => {
      const hostname = addresses[index]
      if (hostname === undefined) return callback(new Error('no address left'), null)
      const { servername: _ignored, ...rest } = options
      const named = secure && !target.isAddress ? { servername: target.host } : {}
      dial({ ...rest, ...named, hostname, port: String(target.port) }, (...outcome) => {
        const [error] = outcome
        if (error !== null && index + 1 < addresses.length) return attempt(index + 1)
        callback(...outcome)
      })
    }
    attempt(0)
  }
}
