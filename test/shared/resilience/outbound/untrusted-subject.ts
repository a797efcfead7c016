// Nothing here leaves the machine: names resolve by a table, and every connection, whatever address it was meant for, is
// opened to the test's own server. What is asserted is the address it was meant for.

import type { TestContext } from 'node:test'
import type { RequestListener } from 'node:http'
import { buildConnector } from 'undici'
import {
  createUntrustedOutbound,
  type UntrustedOutboundOptions,
  type UntrustedRequest,
} from '../../../../shared/resilience/outbound/untrusted-outbound.ts'
import { createInstruments } from '../../../../shared/telemetry/index.ts'
import { systemClock } from '../../../../shared/time/index.ts'
import { startLoopbackServer } from '../../../support/index.ts'

export const publicAddress = '93.184.215.14'

interface World {
  /** host → addresses; a function is asked each time. Default: one public address. */
  readonly names?: Readonly<Record<string, readonly string[] | (() => readonly string[])>>
  readonly port?: number
  readonly options?: Partial<UntrustedOutboundOptions>
}

export function subject({ names = {}, port = 9, options = {} }: World = {}) {
  const dialled: buildConnector.Options[] = []
  const resolved: string[] = []
  const open = buildConnector({ timeout: 1_000, allowH2: false })
  const outbound = createUntrustedOutbound(
    { dependency: 'http_fetch', ...options },
    {
      clock: systemClock,
      instruments: createInstruments({ function: 'test' }),
      resolve: async (host) => {
        resolved.push(host)
        const entry = names[host] ?? [publicAddress]
        return typeof entry === 'function' ? entry() : entry
      },
      dial: (target, callback) => {
        dialled.push(target)
        open({ ...target, hostname: '127.0.0.1', port: String(port) }, callback)
      },
    },
  )
  const get = (request: string | UntrustedRequest, signal: AbortSignal = new AbortController().signal) =>
    outbound.request(typeof request === 'string' ? { url: request } : request, { signal })
  return { get, dialled, resolved }
}

export const serve = (t: TestContext, answer: RequestListener) => startLoopbackServer(t, answer)
