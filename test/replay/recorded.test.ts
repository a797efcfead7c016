// Recorded events against what must come of them, twice: posted to the function's own server, and written to the topic, from where
// the KafkaSource twin brings them. Against a cluster: npx sluice replay test/replay/<function>/<case>.jsonl --to URL.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installedFunctions } from '../../local/platform/index.ts'
import { replayEvents, recordEvents, type EventLine } from '../../local/replay/index.ts'
import { encodeRecord, type CloudEvent } from '../../shared/events/index.ts'
import { startPlatform, type TestPlatform } from '../e2e/support/index.ts'
import { projectRoot, until } from '../support/index.ts'
import { recordedCases, type ExpectedEmission, type RecordedCase } from './recorded-case.ts'

const cases = await recordedCases()

test('every function that takes events has a recorded case', async () => {
  const functions = await installedFunctions(projectRoot)
  const taking = functions.filter(({ kind }) => kind === 'event').map(({ name }) => name)
  assert.deepEqual([...new Set(cases.map((one) => one.function))], taking)
})

for (const [way, send] of [
  ['its server', postToServer],
  ['the KafkaSource twin', writeToTopic],
] as const) {
  test(`recorded events through ${way} have the recorded effects and emissions`, { timeout: 180_000 }, async (t) => {
    const platform = await startPlatform(t)
    for (const one of cases) {
      await send(platform, one)
      const emissions = await until(
        `${one.function}: ${one.name} has emitted what it should`,
        async () => {
          const found = await emissionsOf(platform, one)
          return found.length >= one.expected.emissions.length ? found : undefined
        },
        { limitMs: 60_000 },
      )
      assertEmissions(emissions, one)
      for (const { query, are } of one.expected.rows ?? []) {
        await until(`${one.function}: ${one.name} has left its rows`, async () => {
          const { rows } = await platform.database.query(query)
          return rows.length >= are.length
        })
        assert.deepEqual((await platform.database.query(query)).rows, are)
      }
    }
    t.diagnostic(`${cases.length} cases, ${cases.reduce((sum, { events }) => sum + events.length, 0)} events`)
  })
}

async function postToServer(platform: TestPlatform, { function: name, events, expected }: RecordedCase): Promise<void> {
  const lines = events.map((event, index): EventLine => ({ kind: 'event', line: index + 1, event }))
  const url = `${platform.urls.get(name) ?? assert.fail(`there is no function ${name}`)}/`
  const { answers, failures } = await replayEvents(each(lines), { url, timeoutMs: 20_000 })
  assert.deepEqual(failures, [])
  assert.deepEqual(Object.fromEntries(answers), expected.answers, `answers of ${name}`)
}

async function writeToTopic({ eventLog }: TestPlatform, { events, expected }: RecordedCase): Promise<void> {
  const records = events.map((event) => {
    const { sluicetopic: _, ...extensions } = event.extensions // the source adds it
    return {
      topic: expected.topic,
      ...encodeRecord({ ...event, extensions }, { key: extensions['partitionkey'] ?? '' }),
    }
  })
  await eventLog.append(records)
}

async function* each(lines: readonly EventLine[]): AsyncGenerator<EventLine> {
  yield* lines
}

/** What the function itself emitted about the keys of the case. */
async function emissionsOf(
  { eventLog }: TestPlatform,
  { function: name, events, expected }: RecordedCase,
): Promise<readonly (CloudEvent & { readonly topic: string })[]> {
  const keys = new Set(events.map(({ extensions }) => extensions['partitionkey']))
  const found: (CloudEvent & { readonly topic: string })[] = []
  for (const topic of new Set(expected.emissions.map((emission) => emission.topic))) {
    const options = { topic, from: 'earliest', limit: Number.POSITIVE_INFINITY } as const
    for await (const one of recordEvents(options, eventLog, AbortSignal.timeout(20_000))) {
      if (one.kind !== 'event' || one.event.source !== `/sluice/${name}`) continue
      if (keys.has(one.event.extensions['partitionkey'])) found.push({ ...one.event, topic })
    }
  }
  return found
}

function assertEmissions(found: Awaited<ReturnType<typeof emissionsOf>>, { expected, ...one }: RecordedCase): void {
  const seen = found.map(({ topic, type, data }, index): ExpectedEmission => {
    const wanted = expected.inAnyOrder === true ? matching(expected.emissions, data) : expected.emissions[index]
    return { topic, type, data: partOf(data, Object.keys(wanted?.data ?? {})) }
  })
  const order = (emissions: readonly ExpectedEmission[]): readonly ExpectedEmission[] =>
    expected.inAnyOrder === true
      ? emissions.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
      : emissions
  assert.deepEqual(order(seen), order(expected.emissions), `${one.function}: ${one.name}`)
}

const matching = (emissions: readonly ExpectedEmission[], data: unknown): ExpectedEmission | undefined =>
  emissions.find((one) =>
    Object.entries(one.data)
      .slice(0, 1)
      .every(([name, value]) => partOf(data, [name])[name] === value),
  )

function partOf(data: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(names.map((name) => [name, (data as Readonly<Record<string, unknown>>)[name]]))
}
