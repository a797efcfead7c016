// Stores how far the partitions may be committed. One round after the other, so that no older offset is stored last; what
// cannot be stored is offered again in the next round.

import type { Partition } from './partition.ts'
import type { RecordLog } from './record-log.ts'

export interface CommitterDeps {
  readonly log: RecordLog
  readonly onFailure: (error: unknown) => void
}

/** Resolves when the round is over. Does not reject. */
export type Committer = (partitions: readonly Partition[]) => Promise<void>

export function createCommitter(group: string, { log, onFailure }: CommitterDeps): Committer {
  let rounds = Promise.resolve()

  async function round(partitions: readonly Partition[]): Promise<void> {
    for (const { topic, index: partition, offsets } of partitions) {
      const offset = offsets.takeAdvance()
      if (offset === undefined) continue
      try {
        await log.commit(group, topic, { partition, offset })
      } catch (error) {
        offsets.giveBack()
        onFailure(error)
      }
    }
  }

  return (partitions) => (rounds = rounds.then(() => round(partitions)))
}
