// I4: for each key effects commit in the order of the topic, without inversion or skip, through every retry; and the topic has
// acknowledged events in the order in which their sender sent them. A dead letter has given up its place.

import { topicBetween, topicOfSenders, type Effect, type History } from '../history/history.ts'
import { breach, deadIds, firstOccurrences, sendsById, type Breach } from './finding.ts'

export function orderPerKey(history: History): readonly Breach[] {
  return [
    ...outOfOrder(history, 'counter', topicOfSenders),
    ...outOfOrder(history, 'banker', topicBetween),
    ...sentOutOfOrder(history),
  ]
}

function outOfOrder(
  { effects, records, deadLetters, ledger }: History,
  actor: 'counter' | 'banker',
  topic: string,
): readonly Breach[] {
  const exempt = new Set([...deadIds(deadLetters, actor), ...ledger])
  const committed = Map.groupBy(
    effects.filter((effect) => effect.actor === actor),
    ({ key }) => key,
  )
  return [...firstOccurrences(records, topic)].flatMap(([key, ids]) => {
    const rows = (committed.get(key) ?? []).toSorted(byVersion)
    const expected = ids.filter((id) => !exempt.has(id))
    const seen = rows.map(({ id }) => id).filter((id) => !exempt.has(id))
    const at = expected.findIndex((id, index) => seen[index] !== id)
    const wrong = at === -1 && seen.length === expected.length ? [] : [breachAt(actor, key, { at, expected, seen })]
    return [...wrong, ...gaps(rows, `${actor} of key ${key}`)]
  })
}

const byVersion = (a: Effect, b: Effect): number => (a.version ?? 0) - (b.version ?? 0)

function breachAt(
  actor: string,
  key: string,
  {
    at,
    expected,
    seen,
  }: { readonly at: number; readonly expected: readonly string[]; readonly seen: readonly string[] },
): Breach {
  const place = at === -1 ? expected.length : at
  const [wanted = 'nothing', came = 'nothing'] = [expected[place], seen[place]]
  return breach('I4', `${actor} of key ${key}: effect ${place + 1} should be of ${wanted}, it is of ${came}`)
}

/** Versions count the commits of a key: a hole is an effect that vanished, a repeat a lost update. */
const gaps = (rows: readonly Effect[], what: string): readonly Breach[] =>
  rows.every(({ version }, index) => version === index + 1)
    ? []
    : [breach('I4', `the commits of ${what} are not numbered from 1 without holes`)]

function sentOutOfOrder({ sends, records }: History): readonly Breach[] {
  const certain = new Map(
    [...sendsById(sends)].flatMap(([id, tries]) =>
      tries.some(({ outcome }) => outcome === 'indeterminate') ? [] : [[id, tries[0]?.number ?? 0] as const],
    ),
  )
  return [...firstOccurrences(records, topicOfSenders)].flatMap(([key, ids]) => {
    const numbers = ids.flatMap((id) => certain.get(id) ?? [])
    const sorted = numbers.every((number, index) => number > (numbers[index - 1] ?? 0))
    return sorted ? [] : [breach('I4', `the topic has events of key ${key} in another order than they were sent`)]
  })
}
