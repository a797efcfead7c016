// Sends an event again and again over keep-alive connections, one request at a time on each, as bytes prepared before; at
// most its id and key are written over.
// A client library would need more CPU than the servers it measures.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Slice, SliceResult } from './load-process.ts'
import { requestBytes, stampOf } from './sample-event.ts'

const headEnd = Buffer.from('\r\n\r\n')
const keysEach = 64

let sent = 0

async function runSlice({ port, connections, ms, distinct = false }: Slice): Promise<SliceResult> {
  const latencies: number[] = []
  let errors = 0
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const begun = performance.now()
  const end = begun + ms
  await Promise.all(
    sockets.map(
      (socket, connection) =>
        new Promise<void>((resolve) => {
          const bytes = requestBytes(port)
          const stamp = stampOf(bytes)
          const send = (): void => {
            sent += 1
            if (distinct) stamp({ event: sent, key: connection * keysEach + (sent % keysEach) })
            socket.write(bytes)
          }
          let sentAt = performance.now()
          socket.on('data', (chunk) => {
            const now = performance.now()
            latencies.push(now - sentAt)
            // An answer to this request is a few hundred bytes without a body: it comes in one piece, and ends with its head.
            const isWhole = chunk.subarray(-4).equals(headEnd)
            const isSuccess = chunk[9] === 0x32 && chunk[11] !== 0x32 // 2xx, but 202 puts the work off
            if (!isWhole || !isSuccess) errors += 1
            if (now >= end) return resolve()
            sentAt = now
            send()
          })
          socket.on('close', () => resolve())
          send()
        }),
    ),
  )
  const seconds = (performance.now() - begun) / 1_000
  for (const socket of sockets) socket.destroy()
  const sorted = Float64Array.from(latencies).toSorted()
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { requests: sorted.length, errors, perSecond: sorted.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

process.on('message', (slice: Slice) => void runSlice(slice).then((result) => process.send?.(result)))
process.send?.('ready')
