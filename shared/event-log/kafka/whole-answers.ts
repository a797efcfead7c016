// When a connection of kafkajs 2.2.4 breaks within an answer, its beginning stays in the buffer, and what the next connection brings
// is read as its end: no answer is understood any more, and every request times out, for good. So the buffer is emptied whenever
// the connection is opened anew. The class is not public; the test of the broken answer says when it no longer fits.

interface Connection {
  isConnected(): boolean
  connect(): Promise<unknown>
  bytesBuffered: number
  bytesNeeded: number
  chunks: Buffer[]
}

/** Every message begins with its length, in four bytes. */
const lengthBytes = 4
const mended = new WeakSet<object>()

/** Once for each copy of kafkajs, before its first connection. */
export async function forgetBrokenAnswers(): Promise<void> {
  // @ts-expect-error -- not public, so without types
  const module = (await import('kafkajs/src/network/connection.js')) as {
    readonly default: { readonly prototype: Connection }
  }
  const { prototype } = module.default
  if (mended.has(prototype)) return
  mended.add(prototype)
  const connect = prototype.connect
  prototype.connect = function connectWithEmptyBuffer(this: Connection) {
    if (!this.isConnected()) Object.assign(this, { bytesBuffered: 0, bytesNeeded: lengthBytes, chunks: [] })
    return connect.call(this)
  }
}
