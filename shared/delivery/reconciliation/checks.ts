// The checks of reconciliation, one statement each, so that each sees one moment. A statement answers how many rows it looked
// at, how many are wrong, and says of some what is.

import { allTopics, deadLetterTopicOf, topicOf } from '../../events/index.ts'
import type { Scope } from './scope.ts'

/** The values of the metric label `check`. */
export type CheckName =
  | 'outbox-position'
  | 'inbox-lease'
  | 'inbox-place'
  | 'lane-head'
  | 'dead-letter-copy'
  | 'sequence-hole'

export interface Check {
  readonly name: CheckName
  /** $1 is the grace in milliseconds, $2 the number of samples; `values` follow. */
  readonly sql: string
  readonly values?: readonly unknown[]
}

/** `wrong` selects (at, what). Not every check has a grace, but every statement takes one. */
const statement = (
  read: string,
  wrong: string,
): string => `WITH given AS (SELECT $1::bigint), wrong AS MATERIALIZED (${wrong})
SELECT (${read})::int AS read, (SELECT count(*) FROM wrong)::int AS offenders,
  (SELECT array_agg(what) FROM (SELECT what FROM wrong ORDER BY at LIMIT $2) AS sample) AS samples`

const longAgo = `clock_timestamp() - $1::bigint * interval '1 millisecond'`

/** Topics that have a dead-letter topic. */
const copiedTopics = allTopics.filter((topic) => topicOf(deadLetterTopicOf(topic).name) !== undefined)

/** Sent outbox rows are kept for a day; a copy cannot be looked for after that. */
const copyWindow = `clock_timestamp() - interval '20 hours'`

export const checksOf = (scope: Scope): readonly Check[] => [
  {
    // Every emitted event reaches the log: what is sent says where it is, and what is not is on its way. The first that a key
    // has not published speaks for the others, which wait behind it.
    name: 'outbox-position',
    sql: statement(
      `SELECT count(*) FROM ${scope.outbox} AS o`,
      `SELECT o.at, format('outbox %s key %s sequence %s, event %s: %s', o.topic, o.key, o.sequence, o.id,
          CASE o.state WHEN 'sent' THEN 'marked as sent, without a position in the log'
                       WHEN 'pending' THEN 'passed over: its key is published beyond it'
                       ELSE format('%s is no state', o.state) END) AS what
       FROM ${scope.outbox} AS o LEFT JOIN sluice.outbox_key k ON k.topic = o.topic AND k.key = o.key
       WHERE (o.state = 'sent' AND (o.partition IS NULL OR o.log_offset IS NULL))
          OR (o.state = 'pending' AND o.sequence <= k.sent)
          OR o.state NOT IN ('pending', 'sent')
       UNION ALL
       SELECT o.at, format('outbox %s key %s sequence %s, event %s: waits since %s', o.topic, o.key, o.sequence, o.id, o.at)
       FROM ${scope.pendingKeys} AS k
       JOIN sluice.outbox o ON o.topic = k.topic AND o.key = k.key AND o.sequence = k.sent + 1
       WHERE o.state = 'pending' AND o.at < ${longAgo}`,
    ),
  },
  {
    // A run renews its lease; one that ran out long ago is a lane that nobody took over.
    name: 'inbox-lease',
    sql: statement(
      'SELECT count(*) FROM sluice.lane WHERE token IS NOT NULL',
      `SELECT l.lease_until AS at, format('lane %s key %s, event %s: leased until %s and taken over by nobody', l.function, l.key,
          (SELECT p.id FROM sluice.parked p WHERE p.function = l.function AND p.key = l.key ORDER BY p.position LIMIT 1),
          l.lease_until) AS what
       FROM sluice.lane l WHERE l.token IS NOT NULL AND l.lease_until < ${longAgo}`,
    ),
  },
  {
    // An inbox row says where its event is, and there it is.
    name: 'inbox-place',
    sql: statement(
      `SELECT count(*) FROM ${scope.openInbox} AS i`,
      `SELECT i.at, format('inbox %s, event %s of %s: parked, but in no lane', i.function, i.id, i.source) AS what
       FROM ${scope.openInbox} AS i
       WHERE i.state = 'parked' AND NOT EXISTS (
         SELECT FROM sluice.parked p WHERE p.function = i.function AND p.source = i.source AND p.id = i.id)
       UNION ALL
       SELECT i.at, format('inbox %s, event %s of %s: dead, but there is no dead letter', i.function, i.id, i.source)
       FROM ${scope.openInbox} AS i
       WHERE i.state = 'dead' AND NOT EXISTS (
         SELECT FROM sluice.dead_letter d WHERE d.function = i.function AND d.source = i.source AND d.id = i.id)
       UNION ALL
       SELECT i.at, format('inbox %s, event %s of %s: %s is no state', i.function, i.id, i.source, i.state)
       FROM ${scope.openInbox} AS i WHERE i.state NOT IN ('parked', 'dead')
       UNION ALL
       SELECT p.at, format('parked %s key %s, event %s of %s: its inbox row says %s', p.function, p.key, p.id, p.source,
          coalesce(i.state, 'nothing'))
       FROM ${scope.parked} AS p LEFT JOIN sluice.inbox i ON i.function = p.function AND i.source = p.source AND i.id = p.id
       WHERE i.state IS DISTINCT FROM 'parked'`,
    ),
  },
  {
    // A lane exists exactly while it has events, and whoever drives lanes takes it when it is due.
    name: 'lane-head',
    sql: statement(
      `SELECT count(*) FROM ${scope.lanes} AS l`,
      `SELECT l.due_at AS at, format('lane %s key %s: it has no event', l.function, l.key) AS what
       FROM ${scope.lanes} AS l WHERE NOT EXISTS (SELECT FROM sluice.parked p WHERE p.function = l.function AND p.key = l.key)
       UNION ALL
       SELECT p.at, format('parked %s key %s, event %s: its key has no lane', p.function, p.key, p.id)
       FROM ${scope.parked} AS p WHERE NOT EXISTS (SELECT FROM sluice.lane l WHERE l.function = p.function AND l.key = p.key)
       UNION ALL
       SELECT l.due_at, format('lane %s key %s: due since %s and taken by nobody', l.function, l.key, l.due_at)
       FROM ${scope.lanes} AS l WHERE l.held IS NULL AND l.token IS NULL AND l.due_at < ${longAgo}`,
    ),
  },
  {
    // Each dead letter has its copy on the dead-letter topic, or on the way there. What a source's own sink wrote is there.
    name: 'dead-letter-copy',
    sql: statement(
      `SELECT count(*) FROM ${scope.deadLetters} AS d WHERE d.topic = ANY ($3) AND d.at > ${copyWindow}`,
      `SELECT d.at, format('dead letter %s of %s: no copy for %s.dlq', d.dead_letter_id, d.function, d.topic) AS what
       FROM ${scope.deadLetters} AS d
       WHERE d.topic = ANY ($3) AND d.origin = 'delivery' AND d.at > ${copyWindow} AND NOT EXISTS (
         SELECT FROM sluice.outbox o
         WHERE o.topic LIKE '%.dlq' AND o.event->>'sluicedeadletter' = d.dead_letter_id::text AND o.topic = d.topic || '.dlq')`,
    ),
    values: [copiedTopics.map(({ name }) => name)],
  },
  {
    // Sequences have no gaps: between what is published and what is allotted next, every row is there.
    name: 'sequence-hole',
    sql: statement(
      `SELECT count(*) FROM ${scope.keys} AS k`,
      `SELECT clock_timestamp() AS at, format('outbox %s key %s: %s of the sequences %s to %s are missing', k.topic, k.key,
          range.allotted - range.present, k.sent + 1, k.sent + range.allotted) AS what
       FROM ${scope.pendingKeys} AS k
       CROSS JOIN LATERAL (
         SELECT least(k.next - 1 - k.sent, ${scope.rowsOfKey}) AS allotted, count(*) AS present FROM sluice.outbox o
         WHERE o.topic = k.topic AND o.key = k.key AND o.sequence > k.sent
           AND o.sequence <= k.sent + least(k.next - 1 - k.sent, ${scope.rowsOfKey})
       ) AS range
       WHERE range.present < range.allotted
       UNION ALL
       SELECT o.at, format('outbox %s key %s sequence %s, event %s: beyond what its key has allotted', o.topic, o.key, o.sequence, o.id)
       FROM ${scope.outbox} AS o LEFT JOIN sluice.outbox_key k ON k.topic = o.topic AND k.key = o.key
       WHERE o.sequence >= coalesce(k.next, 0)`,
    ),
  },
]
