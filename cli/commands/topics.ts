// `sluice topics`: the topics of this version on the event log, where Terraform or an operator made the Kafka and nobody the topics.

import { parseArgs } from 'node:util'
import { SluiceError } from '../../shared/errors/index.ts'
import type { EventLog } from '../../shared/event-log/index.ts'
import { allTopics, type Topic } from '../../shared/events/index.ts'
import type { Command } from '../command.ts'
import { withEventLog } from '../stores.ts'

export const command: Command = {
  summary: 'Creates the topics that the event log lacks',
  usage: `Usage: sluice topics [--check]

Creates every declared topic and its topic of dead letters that KAFKA_BROKERS lacks, with its partitions and retention; the
number of copies is the brokers' default. Nothing is changed that exists: more partitions would move keys, and what is
kept shorter or longer is the operator's decision. A topic with another number of partitions than declared is named.

  --check   creates nothing

Exits 0 when all are there as declared, 1 when one is missing or has other partitions. npm start makes its topics itself.`,
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { check: { type: 'boolean', default: false } } })
    return withEventLog(async (eventLog) => {
      const before = await Promise.all(allTopics.map((topic) => partitionsOf(eventLog, topic)))
      if (!values.check) await eventLog.ensureTopics(allTopics)
      const states = allTopics.map((topic, index) => stateOf(topic, before[index], { created: !values.check }))
      for (const { name, partitions, state } of states) console.log(`${name.padEnd(28)} ${partitions}  ${state}`)
      const wrong = states.filter(({ isRight }) => !isRight)
      console.log(
        wrong.length === 0
          ? `${states.length} topics`
          : `${wrong.length} of ${states.length} topics are not as declared`,
      )
      return wrong.length === 0 ? 0 : 1
    })
  },
}

/** Undefined when there is no such topic. */
async function partitionsOf(eventLog: EventLog, { name }: Topic): Promise<number | undefined> {
  try {
    return await eventLog.partitions(name)
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'unknown_topic') return undefined
    throw error
  }
}

interface TopicState {
  readonly name: string
  readonly partitions: number
  readonly state: string
  readonly isRight: boolean
}

function stateOf(
  { name, partitions }: Topic,
  found: number | undefined,
  { created }: { readonly created: boolean },
): TopicState {
  const common = { name, partitions }
  if (found === undefined) return { ...common, state: created ? 'created' : 'missing', isRight: created }
  if (found === partitions) return { ...common, state: 'as declared', isRight: true }
  return {
    ...common,
    state: `has ${found} partitions: keys would move, so that stays a decision of yours`,
    isRight: false,
  }
}
