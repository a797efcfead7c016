// The offsets of consumer groups.

import type { Cluster } from 'kafkajs'
import type { Clock } from '../../time/index.ts'
import type { Position } from '../event-log.ts'
import { manyTries, withRetries } from './kafka-errors.ts'

export interface KafkaGroups {
  committed(group: string, topic: string, partitions: number): Promise<ReadonlyMap<number, number>>
  commit(group: string, topic: string, position: Position): Promise<void>
}

// Commits come from outside the group's own protocol, as an administrator's do. Kafka takes them while the group has no
// members and refuses them otherwise, so a consumer at work is never moved. (admin.setOffsets of kafkajs joins the group and
// takes five seconds.)
const outsider = { groupGenerationId: -1, memberId: '' }

export function createKafkaGroups({
  cluster,
  clock,
}: {
  readonly cluster: Cluster
  readonly clock: Clock
}): KafkaGroups {
  return {
    committed: async (group, topic, count) => {
      const partitions = Array.from({ length: count }, (_, partition) => ({ partition, offset: '-1' }))
      const { responses } = await withRetries({ cluster, clock, tries: manyTries }, async () => {
        const coordinator = await cluster.findGroupCoordinator({ groupId: group })
        return await coordinator.offsetFetch({ groupId: group, topics: [{ topic, partitions }] })
      })
      const offsets = responses.flatMap((answer) => answer.partitions)
      const known = offsets.filter(({ offset }) => Number(offset) >= 0)
      return new Map(known.map(({ partition, offset }) => [partition, Number(offset)]))
    },
    commit: (group, topic, { partition, offset }) =>
      withRetries({ cluster, clock }, async () => {
        const coordinator = await cluster.findGroupCoordinator({ groupId: group })
        const position = { partition, offset: String(offset) }
        await coordinator.offsetCommit({ groupId: group, ...outsider, topics: [{ topic, partitions: [position] }] })
      }),
  }
}
