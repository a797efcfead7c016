// `npm run bench -- delivery [--rounds 7] [--slice 1000] [--in-flight 32] [--pool 10]`: what inbox and outbox cost. One
// function process in `transaction` mode, next to the same handler without inbox and outbox and to a plain kafkajs consumer
// with one INSERT a record; each with Postgres on loopback, and behind a proxy that adds 1 ms to a round trip.
//
// As for the receiver: all are up at the same time, each round gives every one a slice in shuffled order, and a ratio is the
// median of the rounds' ratios. What the function emits is published within the slice, to Kafka where there is a broker.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createKafkaEventLog } from '../../shared/event-log/index.ts'
import { allTopics } from '../../shared/events/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../shared/time/index.ts'
import { findKafka } from '../support/services/kafka/find-kafka.ts'
import { fillTopic, startConsumer, startFunction, type Contestant, type Measured } from './delivery/contestants.ts'
import { startCountingProxy, type CountingProxy, type Traffic } from './delivery/counting-proxy.ts'
import { openDatabase, startDurablePostgres } from './delivery/durable-postgres.ts'
import { startLoad } from './receiver/load-process.ts'
import { median, shuffled } from './receiver/rounds.ts'

const places = ['loopback', '1ms'] as const
const variants = ['delivery', 'bare-handler', 'kafkajs'] as const
type Name = `${(typeof variants)[number]} ${(typeof places)[number]}`
type Round = ReadonlyMap<Name, Measured>

const delayMs = 1
const warmUpMs = 3_000 // code gets hot
/** Between two slices: what was emitted in the last one is published by then. */
const pauseMs = 100
/** More than one INSERT after the other can use up in a second. */
const recordsASecond = 6_000

const publishedSql = `SELECT avg((state = 'sent')::integer)::float8 AS share FROM sluice.outbox`

export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '7' },
      slice: { type: 'string', default: '1000' },
      'in-flight': { type: 'string', default: '32' },
      pool: { type: 'string', default: '10' },
    },
  })
  const [rounds, ms, inFlight] = [Number(values.rounds), Number(values.slice), Number(values['in-flight'])]
  process.removeAllListeners('warning') // kafkajs sets negative timers, and Node says so
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(await startDurablePostgres())
  const kafka = await findKafka()
  if (kafka.available) stack.defer(() => kafka.stop())
  const load = stack.use(await startLoad())
  const proxy = stack.use(await startCountingProxy({ port: postgres.port, delayMs })) // of `delivery 1ms` alone
  const otherProxy = stack.use(await startCountingProxy({ port: postgres.port, delayMs }))
  const through = (port: number): string => Object.assign(new URL(postgres.url), { port: String(port) }).href
  await tellRoundTrip(postgres.url, through(otherProxy.port))

  const contestants = new Map<Name, Contestant>()
  const topicRecords = Math.ceil(((rounds * ms + warmUpMs) / 1_000) * recordsASecond)
  const filled = kafka.available ? stack.use(await fillTopic(kafka.brokers, topicRecords)) : undefined
  if (kafka.available) await ensureTopics(kafka.brokers)
  else console.log(`kafkajs is left out, and events are published to the log in Postgres: ${kafka.reason}`)
  for (const place of places) {
    const urlBy = (one: CountingProxy): string => (place === '1ms' ? through(one.port) : postgres.url)
    const environment = (url: string): Readonly<Record<string, string>> => ({
      DATABASE_URL: url,
      SLUICE_DATABASE_POOL_SIZE: values.pool,
      ...(kafka.available ? { KAFKA_BROKERS: kafka.brokers } : {}),
    })
    const start = async (variant: 'delivery' | 'bare', url: string): Promise<Contestant> =>
      stack.use(await startFunction({ variant, inFlight, environment: environment(url) }, load))
    contestants.set(`delivery ${place}`, await start('delivery', urlBy(proxy)))
    contestants.set(`bare-handler ${place}`, await start('bare', urlBy(otherProxy)))
    if (!kafka.available || filled === undefined) continue
    const { topic } = filled
    const reader = { brokers: kafka.brokers, topic, groupId: `${topic}-${place}`, databaseUrl: urlBy(otherProxy) }
    contestants.set(`kafkajs ${place}`, stack.use(await startConsumer(reader, topicRecords)))
  }

  for (const contestant of contestants.values()) await contestant.run(warmUpMs)
  const database = await openDatabase(postgres.url)
  stack.defer(() => database.stop())
  await database.query('ANALYZE') // the server would in its first minute; until then plans are those of empty tables
  const traffic: (Traffic & { readonly events: number })[] = []
  const measured: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    const slices = new Map<Name, Measured>()
    for (const [name, contestant] of shuffled([...contestants])) {
      proxy.take()
      const slice = await contestant.run(ms)
      await sleep(pauseMs)
      slices.set(name, slice)
      if (name === 'delivery 1ms') traffic.push({ ...proxy.take(), events: slice.requests })
    }
    measured.push(slices)
  }
  report(measured, traffic)
  const { rows } = await database.query<{ readonly share: number }>(publishedSql)
  console.log(`published/emitted ${rows[0]?.share.toFixed(2)} by the function itself; a relay would do the rest`)
  endReport(measured, traffic)
}

async function ensureTopics(brokers: string): Promise<void> {
  const log = createLogger({ function: 'bench', level: 'silent' })
  const eventLog = createKafkaEventLog({ brokers: brokers.split(','), clientId: 'bench' }, { clock, log })
  await eventLog.start(AbortSignal.timeout(30_000))
  await eventLog.ensureTopics(allTopics)
  await eventLog.stop()
}

/** A timer is no exact millisecond, so what the proxy really adds is part of the result. */
async function tellRoundTrip(direct: string, proxied: string): Promise<void> {
  const took: number[] = []
  for (const url of [direct, proxied]) {
    const database = await openDatabase(url)
    const times: number[] = []
    for (let index = 0; index < 100; index += 1) {
      const begun = performance.now()
      await database.query('SELECT 1')
      times.push(performance.now() - begun)
    }
    await database.stop()
    took.push(median(times))
  }
  console.log(`a round trip takes ${took.map((ms) => ms.toFixed(2)).join(' ms on loopback, ')} ms through the proxy\n`)
}

type Counted = Traffic & { readonly events: number }

const variantNames = variants.flatMap((variant) => places.map((place): Name => `${variant} ${place}`))
const rate = (round: Round, name: Name): number => round.get(name)?.perSecond ?? Number.NaN

function report(rounds: readonly Round[], traffic: readonly Counted[]): void {
  console.log('| variant | events/s | errors |\n|---|---:|---:|')
  for (const name of variantNames.filter((name) => rounds.some((round) => round.has(name)))) {
    const errors = rounds.reduce((sum, round) => sum + (round.get(name)?.errors ?? 0), 0)
    console.log(`| ${name} | ${median(rounds.map((round) => rate(round, name))).toFixed(0)} | ${errors} |`)
  }
  const texts = [...new Set(traffic.flatMap((slice) => [...slice.statements.keys()]))]
  console.log('\n| what delivery sends, publishing included | per event | begins round trips |\n|---|---:|---:|')
  for (const text of texts) {
    const [times, begins] = [perEvent(traffic, 'statements', text), perEvent(traffic, 'roundTrips', text)]
    if (times >= 0.005) console.log(`| \`${text}\` | ${times.toFixed(2)} | ${begins.toFixed(2)} |`)
  }
  console.log('')
}

function perEvent(traffic: readonly Counted[], what: keyof Traffic, text?: string): number {
  const events = traffic.reduce((sum, slice) => sum + slice.events, 0)
  const counts = traffic.flatMap((slice) => [...slice[what]]).filter(([of]) => text === undefined || of === text)
  return counts.reduce((sum, [, times]) => sum + times, 0) / events
}

function endReport(rounds: readonly Round[], traffic: readonly Counted[]): void {
  console.log(`statements/event ${perEvent(traffic, 'statements').toFixed(2)}`)
  for (const other of ['bare-handler', 'kafkajs'] as const) {
    for (const place of places) {
      const both = rounds.filter((round) => round.has(`${other} ${place}`))
      if (both.length === 0) continue
      const ratio = median(both.map((round) => rate(round, `delivery ${place}`) / rate(round, `${other} ${place}`)))
      console.log(`ratio delivery/${other} ${place} ${ratio.toFixed(2)}`)
    }
  }
  console.log(`round-trips/event ${perEvent(traffic, 'roundTrips').toFixed(2)}`)
}
