// A twin with everything around it that a check decides: time, log, sinks, and the process it lives in.

import { upstreamTiming, type KafkaSourceSpec } from '../../local/kafka-source/index.ts'
import {
  createMemoryLog,
  createVirtualClock,
  startDispatcher,
  type DispatcherProcess,
  type MemoryLog,
  type VirtualClock,
} from '../../local/simulation/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { createMemorySinks } from './memory-sinks.ts'
import type { AnswerFor } from './sink-ledger.ts'
import type { Sinks } from './sinks.ts'
import { startSocketSinks } from './socket-sinks.ts'

/** Through what requests travel. */
export type Medium = 'memory' | 'sockets'

export interface WorldOptions {
  readonly source: KafkaSourceSpec
  readonly partitions: number
  readonly answerFor: AnswerFor
  readonly medium: Medium
  readonly commitEveryMs?: number
  readonly maxPollRecords?: number
}

export interface World {
  readonly clock: VirtualClock
  readonly log: MemoryLog
  readonly sinks: Sinks
  /** A dispatcher process with the source, or with what the source became. */
  start(source?: KafkaSourceSpec): Promise<DispatcherProcess>
  close(): Promise<void>
}

/** The captures were made with this, except where they say otherwise. */
const capturedCommitMs = 500

const logger = createLogger({ function: 'twin', level: 'silent' })

export async function createWorld(options: WorldOptions): Promise<World> {
  const { source, partitions, answerFor, medium, commitEveryMs = capturedCommitMs } = options
  const { maxPollRecords = upstreamTiming.maxPollRecords } = options
  const traffic = { busy: () => false }
  const clock = createVirtualClock({ busy: () => traffic.busy() })
  const log = createMemoryLog(partitions)
  const wanted = { deadLetterUri: source.spec.delivery?.deadLetterSink?.uri, answerFor }
  let sinks: Sinks
  if (medium === 'memory') sinks = createMemorySinks(wanted, { clock })
  else {
    const behindSockets = await startSocketSinks(wanted, { clock })
    traffic.busy = behindSockets.busy
    sinks = behindSockets
  }
  const living = new Set<DispatcherProcess>()
  let spans = 0

  return {
    clock,
    log,
    sinks,
    start: async (current = source) => {
      const spec = { ...current, spec: { ...current.spec, initialOffset: 'earliest' as const } }
      const started = await startDispatcher(
        { source: spec, ...upstreamTiming, maxPollRecords, commitEveryMs },
        { log, sender: sinks.sender, clock, logger, spanId: () => (spans += 1).toString(16).padStart(16, '0') },
      )
      living.add(started)
      return started
    },
    close: async () => {
      for (const one of living) await one.terminate()
      await sinks.close()
    },
  }
}
