// One record of a dead-letter topic in: our own copy is skipped, what a KafkaSource gave up becomes a dead letter of the function
// whose source it was – unless that function has the event after all.

import { recordGivenUp, type GivenUp } from '../../shared/delivery/index.ts'
import type { Queryable } from '../../shared/database/index.ts'
import { isErrorCode } from '../../shared/errors/index.ts'
import type { CloudEvent } from '../../shared/events/index.ts'
import type { Handler } from '../../shared/function/index.ts'
import type { deadLetterIntake } from './function.ts'
import type { FunctionAt } from './function-at.ts'

export interface Deps {
  readonly functionAt: FunctionAt
}

/** For what no function can be told of. */
const nobody = 'unknown'
const suffix = '.dlq'

export const createHandler =
  ({ functionAt }: Deps): Handler<typeof deadLetterIntake> =>
  async (event, { tx, log, tenant, delivery }) => {
    const { extensions } = event
    const { sluicedeadletter: copyOf, knativeerrordest: destination } = extensions
    if (destination === undefined && copyOf !== undefined && (await isOurs(tx, copyOf))) {
      log.debug({ dead_letter: copyOf }, 'our own copy')
      return
    }
    const topic = (delivery.topic ?? extensions['sluicetopic'] ?? '').replace(/\.dlq$/, '')
    const name = (destination === undefined ? undefined : functionAt(destination)) ?? nobody
    const givenUp: GivenUp = {
      function: name,
      ...originalOf(event, topic),
      topic,
      key: extensions['partitionkey'] ?? extensions['key'],
      tenant,
      cause: causeOf(extensions['sluicecause']),
      message: whyOf(extensions),
    }
    const found = await recordGivenUp(tx, givenUp)
    const facts = { function_of_event: name, original_id: givenUp.event.id, topic, found }
    if (found === 'recorded') log.error(facts, 'a KafkaSource gave up an event; it is a dead letter now')
    else log.info(facts, 'a KafkaSource gave up an event that was taken')
  }

/** A copy without its dead letter is none of ours, whatever it says. */
async function isOurs(tx: Queryable, deadLetterId: string): Promise<boolean> {
  const { rowCount } = await tx.query('SELECT FROM sluice.dead_letter WHERE dead_letter_id::text = $1', [deadLetterId])
  return rowCount > 0
}

/** What the KafkaSources and the sink added; the event did not come with it. */
const added = new Set([
  'knativeerrordest',
  'knativeerrorcode',
  'knativeerrordata',
  'knativekafkapartition',
  'knativekafkaoffset',
  'sluicecause',
  'sluiceid',
])

// `?`, or anything that is not printable ASCII: another event may look the same by now
const ambiguous = /[^\u0020-\u003e\u0040-\u007e]/

function originalOf(event: CloudEvent, topic: string): Pick<GivenUp, 'event' | 'identified'> {
  // A raw record got its id from its place, under the name of the topic that it was read from last.
  const id = (event.extensions['sluiceid'] ?? event.id).replace(`${topic}${suffix}/partition:`, `${topic}/partition:`)
  // What no source gave up was written here by somebody else, under an id that means nothing to any function.
  const isGivenUp = event.extensions['knativeerrordest'] !== undefined
  const kept = Object.entries(event.extensions).filter(([name]) => !added.has(name))
  const extensions = { ...Object.fromEntries(kept), sluicetopic: topic }
  return {
    event: { ...event, id, extensions },
    identified: isGivenUp && !ambiguous.test(id) && !ambiguous.test(event.source),
  }
}

const causeOf = (code: string | undefined): GivenUp['cause'] => (isErrorCode(code) ? code : 'source_gave_up')

function whyOf({ knativeerrordest: destination, knativeerrorcode: status }: CloudEvent['extensions']): string {
  const answer = status === undefined ? 'no answer' : `status ${status}`
  return `The source of the event gave it up: ${answer} from ${destination ?? 'nobody knows whom'}`
}
