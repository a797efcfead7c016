// What a checker returns: breaches of an invariant, and the short ways to look things up that checkers share.

import type { DeadLetter, History, Send } from '../history/history.ts'

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5'

export interface Breach {
  readonly invariant: Invariant
  readonly what: string
}

export type Checker = (history: History) => readonly Breach[]

export const breach = (invariant: Invariant, what: string): Breach => ({ invariant, what })

/** The tries that carried the event itself, first or again, by event. */
export function sendsById(sends: readonly Send[]): ReadonlyMap<string, readonly Send[]> {
  return Map.groupBy(
    sends.filter(({ kind }) => kind !== 'conflict'),
    ({ id }) => id,
  )
}

/** Dead letters of a function that took the event out of its way. A conflict leaves the event of that id where it is. */
export function deadIds(deadLetters: readonly DeadLetter[], name: string): ReadonlySet<string> {
  return new Set(
    deadLetters
      .filter((dead) => dead.function === name && dead.cause !== 'id_conflict')
      .flatMap(({ id }) => (id === null ? [] : [id])),
  )
}

/** Ids of a topic's records for each key, each id once, in the order of their first occurrence. */
export function firstOccurrences(records: History['records'], topic: string): ReadonlyMap<string, readonly string[]> {
  const ofTopic = records.filter((record) => record.topic === topic)
  const sorted = ofTopic.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
  const byKey = new Map<string, Set<string>>()
  for (const { key, id } of sorted) byKey.set(key, (byKey.get(key) ?? new Set()).add(id))
  return new Map([...byKey].map(([key, ids]) => [key, [...ids]]))
}
