// Messages of a few sessions, sent all the time while a case runs, and what became of each: what must not be lost, repeated or
// overtaken, and the answers a case looks at.
//
// A message is sent again under its idempotency key until the gateway takes it, and the next one of the session follows only
// then: so every session knows its messages in order.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../shared/database/index.ts'
import { countDown } from './count-down.ts'

export interface Answer {
  /** Milliseconds on the clock of performance.now(). */
  readonly at: number
  readonly ms: number
  /** 0: no answer came. */
  readonly status: number
  readonly code: string
  readonly retryAfter: string | undefined
}

export interface Traffic {
  start(): void
  /** Resolves when the requests under way are answered. */
  pause(): Promise<void>
  /** All answers since a moment of performance.now(), in order. */
  answers(since: number): readonly Answer[]
  /** Messages that were taken so far. */
  readonly accepted: () => number
  /** What was taken has ended, once and in order. Returns what it looked at. @throws AssertionError */
  judged(): Promise<string>
}

interface Session {
  readonly id: string
  /** Turn ids as the gateway gave them, in the order of sending. */
  readonly turns: string[]
  /** The message that was not taken yet, with its key. */
  open: { readonly key: string; readonly text: string } | undefined
}

export interface TrafficOptions {
  readonly gatewayUrl: string
  /** Conversations at once. Default 4. */
  readonly sessions?: number
  /** From one message of a conversation to its next, in milliseconds. Default 800. */
  readonly everyMs?: number
  /** With more open turns messages wait: beyond what the machine works off they would only make a queue. Default: no limit. */
  readonly mostOpen?: number
}

const lookEveryMs = 100
/** Longer than any answer may take: whether it came too late is for the case to say. */
const requestLimitMs = 20_000
/** Turns of a session run one after the other: it is stuck when none ended for so long. */
const stuckAfterMs = 45_000

export function startTraffic(options: TrafficOptions, { database }: { readonly database: Database }): Traffic {
  const { gatewayUrl, sessions = 4, everyMs = 800, mostOpen = Infinity } = options
  const all = Array.from({ length: sessions }, (): Session => ({ id: randomUUID(), turns: [], open: undefined }))
  const answers: Answer[] = []
  /** Turns that were open at the last look, and those sent since. */
  let open = 0
  let paused = new AbortController()
  let running: Promise<unknown> | undefined

  async function send(session: Session, signal: AbortSignal): Promise<void> {
    await sleep((all.indexOf(session) * everyMs) / sessions, undefined, { signal }).catch(() => undefined)
    while (!signal.aborted) {
      if (open >= mostOpen) {
        await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
        continue
      }
      const number = session.turns.length + 1
      session.open ??= { key: randomUUID(), text: number % 4 === 0 ? `What is ${number}*3?` : `hello ${number}` }
      open += 1
      const begun = performance.now()
      const { body, ...answer } = await post(gatewayUrl, session, session.open)
      answers.push({ ...answer, at: begun, ms: performance.now() - begun })
      if (answer.status === 202) {
        session.turns.push(body.turn_id ?? '')
        session.open = undefined
      }
      const nextIn = begun + everyMs - performance.now()
      await sleep(Math.max(0, nextIn), undefined, { signal }).catch(() => undefined)
    }
  }

  async function lookAtOpen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      open = await openTurns(database)
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
    }
  }

  const traffic: Traffic = {
    start: () => {
      if (running !== undefined) return
      paused = new AbortController()
      const { signal } = paused
      const looking = mostOpen === Infinity ? [] : [lookAtOpen(signal)]
      running = Promise.all([...looking, ...all.map((session) => send(session, signal))])
    },
    pause: async () => {
      paused.abort()
      await running
      running = undefined
    },
    answers: (since) => answers.filter(({ at }) => at >= since),
    accepted: () => all.reduce((sum, { turns }) => sum + turns.length, 0),
    judged: async () => {
      for (const session of all) await judge(session, database)
      return `${traffic.accepted()} turns ended`
    },
  }
  return traffic
}

/** Turns of all sessions that have not ended. */
export async function openTurns(database: Database): Promise<number> {
  const { rows } = await database.query<{ open: number }>(openSql)
  return rows[0]?.open ?? 0
}

const openSql = `SELECT count(*)::int AS open FROM agent.turn WHERE state NOT IN ('completed', 'failed')`

interface TurnRow {
  readonly turn_id: string
  readonly state: string
}

async function allEnded(session: string, database: Database): Promise<readonly TurnRow[]> {
  let turns: readonly TurnRow[] = []
  const open = async (): Promise<number> => {
    turns = (await database.query<TurnRow>(turnsSql, [session])).rows
    return turns.filter(({ state }) => state !== 'completed' && state !== 'failed').length
  }
  await countDown(
    open,
    { stuckAfterMs },
    (left) => `${left} turns of session ${session} are open, and none has ended for ${stuckAfterMs / 1_000} s`,
  )
  return turns
}

async function judge({ id, turns, open }: Session, database: Database): Promise<void> {
  const rows = await allEnded(id, database)
  const stored = rows.map(({ turn_id }) => turn_id)
  // A message whose answer was lost may be there already; its repeat will hear of the same turn.
  const surplus = open === undefined ? 0 : 1
  assert.ok(stored.length <= turns.length + surplus, `session ${id} has ${stored.length} turns of ${turns.length}`)
  assert.deepEqual(stored.slice(0, turns.length), turns, `turns of session ${id}, in the order of their messages`)
  const { rows: started } = await database.query<{ turn_id: string }>(startedSql, [id])
  const begun = started.map(({ turn_id }) => turn_id)
  const inOrder = stored.filter((turn) => begun.includes(turn))
  if (begun.join() === inOrder.join()) return
  const { rows: published } = await database.query(publishedSql, [id])
  assert.deepEqual(
    begun,
    inOrder,
    `turns of session ${id} did not start in order; published: ${JSON.stringify(published)}`,
  )
}

const turnsSql = 'SELECT turn_id, state FROM agent.turn WHERE session_id = $1 ORDER BY ordinal'
const startedSql = `SELECT turn_id FROM agent.session_event
  WHERE session_id = $1 AND type = 'conversation.turn.started.v1' ORDER BY position`

/** What to look at when turns did not start in order: where the log has their events, and since when. */
const publishedSql = `SELECT sequence, partition, log_offset, at::time(3), sent_at::time(3), event->'data'->>'turn_id' AS turn
  FROM sluice.outbox WHERE topic = 'conversation.inbound' AND key = $1 ORDER BY sequence`

type Posted = Omit<Answer, 'at' | 'ms'> & { readonly body: { readonly code?: string; readonly turn_id?: string } }

async function post(gatewayUrl: string, { id }: Session, open: NonNullable<Session['open']>): Promise<Posted> {
  try {
    const response = await fetch(`${gatewayUrl}/v1/session/message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': open.key },
      body: JSON.stringify({ session_id: id, message: open.text }),
      signal: AbortSignal.timeout(requestLimitMs),
    })
    const body = (await response.json()) as Posted['body']
    const retryAfter = response.headers.get('retry-after') ?? undefined
    return { status: response.status, code: body.code ?? '', retryAfter, body }
  } catch (error) {
    return { status: 0, code: error instanceof Error ? error.name : '', retryAfter: undefined, body: {} }
  }
}
