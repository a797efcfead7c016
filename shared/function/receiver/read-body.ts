// Reads a request body up to a limit. Beyond it the rest is read and dropped, up to a second limit, because a sender that
// is cut off mid-body sees a broken connection and sends the same again (docs/kafka-source.md, K14).

import type { IncomingMessage } from 'node:http'
import type { ServerLimits } from '../server-limits.ts'
import type { Connection } from './connections.ts'

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** Over the limit. `ended` tells whether the sender is done, so that the connection can go on. */
  | { readonly kind: 'oversized'; readonly ended: boolean }
  /** The sender went away. */
  | { readonly kind: 'cut' }

export type BodyLimits = Pick<ServerLimits, 'bodyBytes' | 'droppedBodyBytes'>

export interface BodySource {
  readonly request: IncomingMessage
  readonly connection: Pick<Connection, 'onCut'>
}

const empty: Body = { kind: 'whole', bytes: Buffer.alloc(0) }

/** Calls `done` exactly once. A callback, because this runs for every event. */
export function readBody({ request, connection }: BodySource, limits: BodyLimits, done: (body: Body) => void): void {
  const { bodyBytes, droppedBodyBytes } = limits
  let first: Buffer | undefined
  let more: Buffer[] | undefined
  let length = 0
  let settled = false

  const settle = (body: Body): void => {
    if (settled) return
    settled = true
    connection.onCut = undefined
    done(body)
  }

  // Not written where it is assigned: V8 allocates a function that is assigned straight to a property in the old generation, where
  // it would keep this whole request until the next full collection.
  const cut = (): void => settle({ kind: 'cut' })
  connection.onCut = cut
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length > bodyBytes) {
      first = undefined
      more = undefined
      if (length > droppedBodyBytes) settle({ kind: 'oversized', ended: false })
    } else if (first === undefined) {
      first = chunk
    } else {
      more ??= [first]
      more.push(chunk)
    }
  })
  request.on('end', () => {
    if (length > bodyBytes) return settle({ kind: 'oversized', ended: true })
    if (first === undefined) return settle(empty)
    settle({ kind: 'whole', bytes: more === undefined ? first : Buffer.concat(more, length) })
  })
}
