// Spans on their way out. The text of a span is written into the body of the next request at once, so that nothing of it is kept
// for the garbage collector to carry about; a body that is full is sent, and its memory used again.
//
// SB1  add() never waits. What waits and what is under way is bounded; beyond that the newest spans are lost, and told.
// SB2  A body is small: neither making nor sending it holds up the work that is under way.
// SB3  After stop() nothing is taken, and no timer keeps the process alive.

import type { Clock, Timer } from '../time/index.ts'
import type { OnExported, OtlpSender } from './otlp-sender.ts'

export interface SpanBatchesOptions {
  /** What stands before and after the spans of a request. */
  readonly frame: readonly [head: string, tail: string]
}

export interface SpanBatchesDeps {
  readonly clock: Pick<Clock, 'after'>
  readonly sender: Pick<OtlpSender, 'send'>
  readonly onExported: OnExported
}

export interface SpanBatches {
  /** A span as JSON. */
  add(json: string): void
  /** Resolves when everything that was added so far is sent or lost. */
  flush(): Promise<void>
  stop(): void
}

interface Batch {
  readonly memory: Buffer
  bytes: number
  spans: number
}

/** From so many bytes on a body is sent, about two hundred spans. */
const fullBytes = 262_144
/** Room for one more span of the same length, and for what ends the body. */
const memoryBytes = 2 * fullBytes + 1_024
/** Of UTF-8, for one unit of a JavaScript string. */
const mostBytesOfChar = 3
/** Filling, waiting and under way. */
const mostBatches = 16
/** A collector far away takes its time. */
const mostUnderWay = 4
/** Longest wait of a span for others, in milliseconds. */
const waitMs = 1_000

export function createSpanBatches(
  { frame: [head, tail] }: SpanBatchesOptions,
  { clock, sender, onExported }: SpanBatchesDeps,
): SpanBatches {
  let filling: Batch | undefined
  let waiting: Batch[] = []
  const spare: Buffer[] = []
  const underWay = new Set<Promise<void>>()
  let timer: Timer | undefined
  let stopped = false

  function begin(): Batch | undefined {
    if (waiting.length + underWay.size >= mostBatches) return undefined
    const memory = spare.pop() ?? Buffer.allocUnsafeSlow(memoryBytes)
    timer = clock.after(waitMs, close, { unref: true })
    return { memory, bytes: memory.write(head), spans: 0 }
  }

  function close(): void {
    timer?.cancel()
    if (filling === undefined) return
    filling.bytes += filling.memory.write(tail, filling.bytes)
    waiting.push(filling)
    filling = undefined
    sendNext()
  }

  function sendNext(): void {
    if (underWay.size >= mostUnderWay) return
    const batch = waiting.shift()
    if (batch === undefined) return
    const { memory, bytes, spans } = batch
    const settle = (reason: string): void => {
      underWay.delete(sending)
      spare.push(memory)
      onExported(reason === '' ? 'sent' : 'lost', spans, reason)
      sendNext()
    }
    const sending = sender.send(memory.subarray(0, bytes)).then(settle)
    underWay.add(sending)
  }

  return {
    add: (json) => {
      if (stopped) return onExported('lost', 1, 'the process stops')
      if (json.length * mostBytesOfChar > fullBytes) return onExported('lost', 1, 'a span is too long')
      filling ??= begin()
      if (filling === undefined) return onExported('lost', 1, 'the collector does not keep up')
      const { memory } = filling
      if (filling.spans > 0) filling.bytes += memory.write(',', filling.bytes)
      filling.bytes += memory.write(json, filling.bytes)
      filling.spans += 1
      if (filling.bytes >= fullBytes) close()
    },
    flush: async () => {
      close()
      while (underWay.size > 0) await Promise.all(underWay)
    },
    stop: () => {
      close()
      stopped = true
      const left = waiting.reduce((sum, { spans }) => sum + spans, 0)
      waiting = []
      if (left > 0) onExported('lost', left, 'the process stops')
    },
  }
}
