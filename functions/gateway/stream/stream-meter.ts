// What operators see of the streams of this process: how many are open, what waits for those who read them, and why they
// ended. What waits is asked at a scrape, so a stream pays nothing for it.

import type { Instruments } from '../../../shared/telemetry/index.ts'

export type StreamInstruments = Pick<
  Instruments,
  'streamsOpen' | 'streamsWaitingBytes' | 'streamsSlowestBytes' | 'streamsEnded'
>

/** Why a stream ended. `buffer-full` and `stalled` are clients that did not keep up. */
export type StreamEnding = Parameters<StreamInstruments['streamsEnded']['inc']>[0]['cause']

export interface StreamMeter {
  /** Takes a stream in whose client has `waiting()` bytes to come; call what it returns once, when the stream has ended. */
  opened(waiting: () => number): (ending: StreamEnding) => void
}

export function createStreamMeter(instruments: StreamInstruments): StreamMeter {
  const { streamsOpen, streamsWaitingBytes, streamsSlowestBytes, streamsEnded } = instruments
  const open = new Set<() => number>()
  const waiting = (): readonly number[] => [...open].map((bytesOf) => bytesOf())

  streamsOpen.collect = () => streamsOpen.set(open.size)
  streamsWaitingBytes.collect = () => streamsWaitingBytes.set(waiting().reduce((sum, bytes) => sum + bytes, 0))
  streamsSlowestBytes.collect = () => streamsSlowestBytes.set(Math.max(0, ...waiting()))

  return {
    opened: (bytesOf) => {
      open.add(bytesOf)
      return (cause) => {
        open.delete(bytesOf)
        streamsEnded.inc({ cause })
      }
    },
  }
}
