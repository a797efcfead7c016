// I5: every outbox row is in its topic and everything in these topics has a row; the first occurrences of a key are in the
// order of its sequences, which have no holes.

import { topicOfSenders, type History } from '../history/history.ts'
import { breach, type Breach } from './finding.ts'

export function outboxIsTopic({ outbox, records }: History): readonly Breach[] {
  const published = records.filter(({ topic }) => topic !== topicOfSenders)
  const rows = new Set(outbox.map(place))
  const inTopic = new Set(published.map(place))

  const missing = outbox
    .filter((row) => !inTopic.has(place(row)))
    .map((row) => breach('I5', `${place(row)} is not there`))
  const unsent = outbox
    .filter(({ state }) => state !== 'sent')
    .map((row) => breach('I5', `${place(row)} is ${row.state}`))
  const foreign = published
    .filter((record) => !rows.has(place(record)))
    .map((record) => breach('I5', `${place(record)} is no outbox row`))
  return [...missing, ...unsent, ...foreign, ...outOfSequence(published), ...holes(outbox)]
}

/** An event may have two rows in a topic: two dead letters, one for its failure and one for another event under its id. */
function place({
  topic,
  key,
  sequence,
  id,
}: Pick<History['records'][number], 'topic' | 'key' | 'sequence' | 'id'>): string {
  return `${id} of ${topic}, key ${key}, sequence ${sequence}`
}

function outOfSequence(records: History['records']): readonly Breach[] {
  const sorted = records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
  const highest = new Map<string, number>()
  return sorted.flatMap(({ topic, key, sequence }) => {
    const name = `${topic}, key ${key}`
    const before = highest.get(name) ?? 0
    if (sequence === null || sequence <= before) return [] // a repeat
    highest.set(name, sequence)
    return sequence === before + 1 ? [] : [breach('I5', `${name}: sequence ${sequence} comes after ${before}`)]
  })
}

function holes(outbox: History['outbox']): readonly Breach[] {
  const byKey = Map.groupBy(outbox, ({ topic, key }) => `${topic}, key ${key}`)
  return [...byKey].flatMap(([name, rows]) => {
    const sequences = rows.map(({ sequence }) => sequence).toSorted((a, b) => a - b)
    return sequences.every((sequence, index) => sequence === index + 1)
      ? []
      : [breach('I5', `${name}: sequences have holes`)]
  })
}

/** Records beyond the first of each row: what inboxes absorb. */
export function extraCopies({ records }: History): number {
  const published = records.filter(({ topic }) => topic !== topicOfSenders)
  return published.length - new Set(published.map(({ topic, key, sequence }) => `${topic} ${key} ${sequence}`)).size
}
