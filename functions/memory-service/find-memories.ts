// What is recalled: the newest memories, or those that have words of the query, best first. Read from the replica.

import type { Queryable } from '../../shared/database/index.ts'
import { formatPosition, wordsOf, type RecalledMemory } from '../../shared/memory/index.ts'
import type { RecallBody } from './request-schemas.ts'

interface Row extends Omit<RecalledMemory, 'position' | 'written_at'> {
  readonly sequence: number
  readonly written_at: Date
}

export async function findMemories(
  database: Queryable,
  tenant: string,
  question: RecallBody,
): Promise<readonly RecalledMemory[]> {
  const { query, namespace = null, session_id = null, except_session_id = null, min_score, limit } = question
  const filters = [tenant, namespace, session_id, except_session_id, limit]
  const words = query === undefined ? undefined : wordsOf(query)
  const { rows } = await (words === undefined
    ? database.query<Row>(newestSql, filters)
    : database.query<Row>(searchSql, [...filters, [...new Set(words)], min_score]))
  return rows.map(({ sequence, written_at, ...memory }) => ({
    ...memory,
    position: formatPosition({ key: memory.key, sequence }),
    written_at: written_at.toISOString(),
  }))
}

const columns = `replica.key, replica.namespace, replica.session_id, replica.content, replica.language, replica.metadata,
  replica.sequence, replica.written_at`

const filter = `replica.newest AND replica.operation = 'remember' AND replica.tenant = $1
    AND ($2::text IS NULL OR replica.namespace = $2) AND ($3::text IS NULL OR replica.session_id = $3)
    AND ($4::text IS NULL OR replica.session_id IS DISTINCT FROM $4)`

const newestSql = `
  SELECT ${columns}, NULL::double precision AS score FROM agent.memory_replica AS replica
  WHERE ${filter} ORDER BY replica.written_at DESC, replica.key LIMIT $5`

// The words are asked for in the language of each record, so a record is found whatever language the query is guessed to be.
// One look into the index for all languages; the score is that of the record's own.
const searchSql = `
  WITH asked AS MATERIALIZED (
    SELECT language, agent.memory_query($1, language, $6::text[]) AS query
    FROM unnest(agent.memory_languages() || ARRAY['und']) AS language
  ), whole AS MATERIALIZED (
    SELECT string_agg(query::text, ' | ')::tsquery AS query FROM asked
  ), found AS (
    SELECT ${columns}, agent.memory_score(replica.search, asked.query) AS score
    FROM whole JOIN agent.memory_replica AS replica ON replica.search @@ whole.query
    JOIN asked ON asked.language = replica.language
    WHERE ${filter}
  )
  SELECT * FROM found WHERE score >= $7 ORDER BY score DESC, written_at DESC, key LIMIT $5`
