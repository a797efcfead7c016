// F23: many people watch while a gateway is killed under them, and some do not read. Whoever comes back with Last-Event-ID misses
// nothing and sees nothing twice, and whoever does not read costs the gateway no more than a buffer.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import type { Database } from '../../../shared/database/index.ts'
import { until } from '../../support/until.ts'
import type { FaultCase } from '../case.ts'
import { startDeafClient, startStreamClient, type StreamClient } from '../rolling/stream-client.ts'
import { startRollingWorld, type RollingWorld } from '../rolling/rolling-world.ts'

const clients = 500
const deaf = 50
const sessions = 9
const bufferBytes = 256 * 1_024
/** What the heap may grow by besides, garbage included. Pages of a hundred events would be 160 MiB. */
const heapSlackBytes = 32 * 1_048_576
/** Of the session that nobody reads: 200 events of 32 KiB, so 6.4 MiB for each of its clients. */
const pastEvents = 200
const pastEventBytes = 32_768

export const streamCases: readonly FaultCase[] = [
  {
    id: 'F23',
    title: `${clients} streams, gateways killed under them, ${deaf} never read: no gap, no repeat, no more than a buffer each`,
    apart: true,
    limitMs: 600_000,
    run: async ({ proven, note, atEnd, full }) => {
      const world = await startRollingWorld({ name: 'streams', twice: ['gateway'] }, atEnd)
      const agent = new Agent({ maxSockets: Infinity })
      atEnd(() => agent.destroy())
      const talks = Array.from({ length: sessions }, () => randomUUID())
      for (const id of talks) await say(world.gatewayUrl, id)
      const streamOf = (id: string): string => `${world.gatewayUrl}/v1/session/${id}/events`
      const readers = Array.from({ length: clients - deaf }, (_, n) =>
        startStreamClient({ url: streamOf(talks[n % sessions] ?? ''), agent }),
      )
      atEnd(() => {
        for (const reader of readers) reader.stop()
      })
      await until('all are connected', () => readers.every((reader) => reader.connects() > 0), { limitMs: 60_000 })

      const before = await heldBytes(world)
      const unread = await storePast(world.database, randomUUID())
      const leave = await Promise.all(
        Array.from({ length: deaf }, () => startDeafClient({ url: streamOf(unread), agent })),
      )
      atEnd(() => {
        for (const go of leave) go()
      })
      for (const id of talks) await say(world.gatewayUrl, id)
      await caughtUp(world.database, readers, talks)
      // What is only garbage goes with the next collection; what is held stays.
      const grown = await until(
        `${deaf} clients that do not read cost no more than their buffers`,
        async () => {
          await say(world.gatewayUrl, talks[0] ?? '')
          const bytes = (await heldBytes(world)) - before
          return bytes <= deaf * bufferBytes + heapSlackBytes ? { bytes } : undefined
        },
        { limitMs: 60_000, everyMs: 250 },
      )
      note(`${deaf} that never read cost ${(grown.bytes / 1_048_576).toFixed(1)} MiB`)

      const connectsBefore = readers.map((reader) => reader.connects())
      for (let round = 0; round < (full ? 5 : 1); round += 1) {
        for (const name of ['gateway', 'gateway-2']) {
          const talking = talk(world.gatewayUrl, talks)
          await world.kill(name)
          await talking.stop()
        }
      }
      await caughtUp(world.database, readers, talks)
      const again = readers.filter((reader, n) => reader.connects() > (connectsBefore[n] ?? 0)).length
      assert.ok(again > 0)
      proven(`two gateways killed, ${again} of ${readers.length} streams broke and came back`)
      const sum = (of: (reader: StreamClient) => number): number => readers.reduce((all, reader) => all + of(reader), 0)
      note(`${sum((reader) => reader.position())} events seen`)
      assert.deepEqual(
        { gaps: sum((one) => one.gaps()), repeats: sum((one) => one.repeats()) },
        { gaps: 0, repeats: 0 },
      )
    },
  },
]

/** The gateway may be gone for a moment: then the message is sent again under its key. */
async function say(gatewayUrl: string, sessionId: string): Promise<void> {
  const key = randomUUID()
  await until(
    'a message is taken',
    async () => {
      const answer = await fetch(`${gatewayUrl}/v1/session/message`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ session_id: sessionId, message: 'hello' }),
      })
      await answer.text()
      return answer.status === 202
    },
    { limitMs: 60_000, everyMs: 200 },
  )
}

function talk(gatewayUrl: string, talks: readonly string[]): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const running = (async () => {
    for (let n = 0; !stopping.signal.aborted; n += 1) await say(gatewayUrl, talks[n % talks.length] ?? '')
  })()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** Every turn has ended and every client has seen the last event of its session. */
async function caughtUp(database: Database, readers: readonly StreamClient[], talks: readonly string[]): Promise<void> {
  await until(
    'every client has seen everything',
    async () => {
      const { rows } = await database.query<{ id: string; last: number; open: number }>(lastSql, [talks])
      const last = new Map(rows.map((row) => [row.id, row.last]))
      return (
        rows.every(({ open }) => open === 0) &&
        readers.every((reader, n) => reader.position() === last.get(talks[n % talks.length] ?? ''))
      )
    },
    { limitMs: 120_000, everyMs: 200 },
  )
}

const lastSql = `
  SELECT session.session_id AS id, session.last_position AS last,
    (SELECT count(*)::integer FROM agent.turn WHERE turn.session_id = session.session_id
      AND turn.state NOT IN ('completed', 'failed')) AS open
  FROM agent.session WHERE session.session_id = ANY($1)`

async function storePast(database: Database, id: string): Promise<string> {
  await database.query(
    `INSERT INTO agent.session (tenant, session_id, last_position) VALUES ('local', $1, $2::integer)`,
    [id, pastEvents],
  )
  await database.query(
    `INSERT INTO agent.session_event (tenant, session_id, position, event_id, type, turn_id, data)
     SELECT 'local', $1, position, gen_random_uuid()::text, 'conversation.turn.started.v1', 'past',
       json_build_object('padding', repeat('x', $3))
     FROM generate_series(1, $2::integer) AS position`,
    [id, pastEvents, pastEventBytes],
  )
  return id
}

/** Heap and buffers of both gateways. */
async function heldBytes({ operationsUrl }: RollingWorld): Promise<number> {
  const sizes = await Promise.all(
    ['gateway', 'gateway-2'].map(async (name) => {
      const text = await (await fetch(`${operationsUrl(name)}/metrics`)).text()
      const value = (metric: string): number => Number(new RegExp(`^${metric}\\{.*\\} (\\S+)`, 'm').exec(text)?.[1])
      return value('nodejs_heap_size_used_bytes') + value('nodejs_external_memory_bytes')
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
