// The process in which a KafkaSource twin lives, and the ways in which it ends.

import { createKafkaSource, type KafkaSourceDeps, type KafkaSourceOptions } from '../kafka-source/index.ts'

export interface DispatcherProcess {
  /** Its source changed or is gone: what is under way comes to its end first. */
  release(): Promise<void>
  /** SIGTERM. */
  terminate(): Promise<void>
  /** SIGKILL: nothing it still does arrives anywhere. */
  kill(): Promise<void>
}

const startLimitMs = 30_000

export async function startDispatcher(options: KafkaSourceOptions, deps: KafkaSourceDeps): Promise<DispatcherProcess> {
  const { log, onOutcome } = deps
  let alive = true
  const twin = createKafkaSource(options, {
    ...deps,
    log: { ...log, commit: async (...args) => (alive ? log.commit(...args) : undefined) },
    onOutcome: (...args) => (alive ? onOutcome?.(...args) : undefined),
  })
  await twin.start(AbortSignal.timeout(startLimitMs))
  return {
    release: () => twin.drain().then(() => twin.stop()),
    terminate: () => twin.stop(),
    kill: () => {
      alive = false
      return twin.stop()
    },
  }
}
