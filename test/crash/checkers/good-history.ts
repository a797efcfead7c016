// A small history in which nothing is wrong: two keys, a dead letter, a repeat, a conflict, an extra copy in the topic, a send
// that failed. The tests of the checkers break one thing in it each.

import {
  topicBetween,
  topicOfResults,
  topicOfSenders,
  type BankCall,
  type Effect,
  type History,
  type Send,
  type TopicRecord,
} from '../history/history.ts'

const send = (id: string, number: number, changes: Partial<Send> = {}): Send => ({
  kind: 'first',
  id,
  key: id.slice(0, 1),
  number,
  amount: number,
  conduct: 'succeed',
  outcome: 'acked',
  at: 0,
  ...changes,
})

const effect = (id: string, version: number, amount: number): Effect => ({
  actor: 'counter',
  id,
  origin: id,
  key: id.slice(0, 1),
  amount,
  version,
  pid: 1,
  emitted: `${id}-emitted`,
})

const banked = ({ id, key, version, amount, emitted }: Effect): Effect => ({
  actor: 'banker',
  id: emitted ?? '',
  origin: id,
  key,
  amount,
  version,
  pid: 2,
  emitted: `${id}-result`,
})

const charge = ({ id, amount }: Effect): BankCall => ({
  step: 'charge',
  idempotencyKey: `key of ${id}`,
  origin: id,
  amount,
  applied: true,
})

export function goodHistory(): History {
  const counted = [effect('a1', 1, 1), effect('a3', 2, 3), effect('b1', 1, 1)]
  const place = (topic: string, offset: number, record: Omit<TopicRecord, 'topic' | 'partition' | 'offset'>) => ({
    topic,
    partition: 0,
    offset,
    ...record,
  })
  const emitted = (topic: string, suffix: string) =>
    [
      ['a', `a1-${suffix}`, 1],
      ['a', `a3-${suffix}`, 2],
      ['b', `b1-${suffix}`, 1],
    ].map(([key, id, sequence]) => ({ topic, key: String(key), id: String(id), sequence: Number(sequence) }))
  const outbox = [...emitted(topicBetween, 'emitted'), ...emitted(topicOfResults, 'result')]
  const sent = [
    ['a', 'a1'],
    ['a', 'a2'],
    ['b', 'b1'],
    ['a', 'a1'],
    ['a', 'a3'],
    ['a', 'a1'],
  ] as const
  return {
    sends: [
      send('a1', 1),
      send('a2', 2, { conduct: 'reject' }),
      send('b1', 1),
      send('a1', 1, { kind: 'repeat' }),
      send('a3', 3),
      send('a1', 1, { kind: 'conflict', amount: 101 }),
      send('a4', 4, { outcome: 'failed' }),
    ],
    effects: [...counted, ...counted.map(banked)],
    counters: [
      { actor: 'counter', key: 'a', value: 4, version: 2 },
      { actor: 'counter', key: 'b', value: 1, version: 1 },
    ],
    bankCalls: counted.map(charge),
    records: [
      ...sent.map(([key, id], offset) => place(topicOfSenders, offset, { key, id, sequence: null })),
      ...outbox.map(({ topic, key, id, sequence }, offset) => place(topic, offset, { key, id, sequence })),
      place(topicBetween, 99, { key: 'a', id: 'a1-emitted', sequence: 1 }),
    ],
    outbox: outbox.map((row) => ({ ...row, state: 'sent' })),
    deadLetters: [
      { function: 'counter', id: 'a2', cause: 'rejected' },
      { function: 'counter', id: 'a1', cause: 'id_conflict' },
    ],
    ledger: [],
    remainder: { parked: 0, lanes: 0, outboxPending: 0, lag: 0, dropped: 0 },
  }
}
