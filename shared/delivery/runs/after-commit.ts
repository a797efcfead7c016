// Work that a handler wants done once its event is settled. Comfort only: a failure is logged and changes nothing.

import { messageOf } from '../../errors/index.ts'
import type { Logger } from '../../telemetry/index.ts'

type Work = () => void | Promise<void>

export interface AfterCommit {
  readonly add: (work: Work) => void
  /** In the order of the adds. Never rejects. */
  readonly run: () => Promise<void>
}

export function createAfterCommit({ log }: { readonly log: Logger }): AfterCommit {
  const waiting: Work[] = []
  return {
    add: (work) => void waiting.push(work),
    run: async () => {
      for (const work of waiting.splice(0)) {
        try {
          await work()
        } catch (error) {
          log.warn({ reason: messageOf(error) }, 'work after commit failed')
        }
      }
    },
  }
}
