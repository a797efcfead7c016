// Delivery against a model of a few lines: random interleavings of deliveries, repeats, conflicts, runs that succeed, fail,
// are rejected, die or go on as zombies. After every operation inbox, lanes, effects and dead letters are what the model says.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDelivery, type Delivery } from '../../../shared/delivery/index.ts'
import { RejectedError } from '../../../shared/errors/index.ts'
import { until } from '../../support/index.ts'
import { contractOf, createWorkbench, incoming, take, type Workbench } from './workbench.ts'

type Conduct = 'succeed' | 'fail' | 'reject'

type Operation =
  | { readonly name: 'accept'; readonly id: number; readonly data: number; readonly conduct: Conduct }
  /** Every due lane runs its head once, side by side. */
  | { readonly name: 'drive'; readonly conducts: readonly Conduct[] }
  /** Taken, and never heard of again. */
  | { readonly name: 'die' }
  /** Started, out of its lease, and going on after another run has settled the event. */
  | { readonly name: 'zombie' }

const maxAttempts = 3
const keyOf = (id: number): string => `key-${id % 3}`
const eventId = (id: number): string => `e${id}`

interface Model {
  readonly inbox: Map<string, { state: 'done' | 'parked' | 'dead'; readonly data: number }>
  readonly lanes: Map<string, { readonly id: string; attempts: number }[]>
  readonly effects: string[]
  deadLetters: number
}

/** What the handler does with an event is decided before it runs. */
type Conducts = Map<string, Conduct>

const conduct = fc.constantFrom<Conduct>('succeed', 'succeed', 'fail', 'reject')
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      name: fc.constant('accept' as const),
      id: fc.nat(11),
      data: fc.constantFrom(0, 0, 0, 1),
      conduct,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      name: fc.constant('drive' as const),
      conducts: fc.array(conduct, { minLength: 3, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ name: 'die' as const }) },
  { weight: 1, arbitrary: fc.constant({ name: 'zombie' as const }) },
)

for (const execution of ['transaction', 'steps'] as const) {
  test(`a ${execution} function does what the model says in every interleaving`, { timeout: 120_000 }, async (t) => {
    const bench = await createWorkbench(t)
    await bench.database.query('CREATE TABLE effect (function text, id text, n bigint GENERATED ALWAYS AS IDENTITY)')
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 25 }), async (operations) => {
        await replay(bench, `${execution}-${(runs += 1)}`, { execution, operations })
      }),
      { numRuns: 100 },
    )
  })
}

async function replay(
  bench: Workbench,
  name: string,
  { execution, operations }: { readonly execution: 'transaction' | 'steps'; readonly operations: readonly Operation[] },
): Promise<void> {
  const conducts: Conducts = new Map()
  const model: Model = { inbox: new Map(), lanes: new Map(), effects: [], deadLetters: 0 }
  const pauses = new Map<string, { readonly reached: () => void; readonly go: Promise<void> }>()
  const insert = 'INSERT INTO effect (function, id) VALUES ($1, $2)'
  const behave = async (id: string): Promise<void> => {
    const pause = pauses.get(id)
    pauses.delete(id)
    pause?.reached()
    await pause?.go
    if (pause === undefined && conducts.get(id) === 'fail') throw new Error('fails')
    if (pause === undefined && conducts.get(id) === 'reject') throw new RejectedError({ reason: 'rejected' })
  }
  const delivery = {
    transaction: () =>
      createDelivery(
        contractOf('transaction', { name, delivery: budget }),
        async ({ id }, { tx }) => {
          await tx.query(insert, [name, id])
          await behave(id)
        },
        { ...bench, random: () => 0 },
      ),
    steps: () =>
      createDelivery(
        contractOf('steps', { name, delivery: budget }),
        async ({ id }, { commit }) =>
          commit(async ({ tx }) => {
            await tx.query(insert, [name, id])
            await behave(id)
          }),
        { ...bench, random: () => 0 },
      ),
  }[execution]()

  for (const step of operations) {
    switch (step.name) {
      case 'accept': {
        conducts.set(eventId(step.id), step.conduct)
        const expected = accept(model, step, execution)
        const event = incoming({ id: eventId(step.id), key: keyOf(step.id), data: { n: step.data } })
        assert.equal((await delivery.accept(event)).outcome, expected)
        break
      }
      case 'drive': {
        const lanes = await take(bench.database)
        assert.deepEqual(lanes.map(({ key }) => key).toSorted(), [...model.lanes.keys()].toSorted())
        const expected = lanes.map(({ incoming: { event } }, index) => {
          const conduct = step.conducts[index] ?? 'succeed'
          conducts.set(event.id, conduct)
          return runHead(model, event.id, conduct)
        })
        const answers = await Promise.all(lanes.map((lane) => delivery.run(lane.incoming, lane.token)))
        assert.deepEqual(
          answers.map(({ outcome }) => outcome),
          expected,
        )
        break
      }
      case 'die':
        await take(bench.database)
        await expire(bench)
        break
      case 'zombie':
        await zombie(bench, delivery, { model, conducts, pauses, execution })
        break
    }
    await assertSame(bench, name, model)
  }
  await bench.database.query('DELETE FROM sluice.lane; DELETE FROM sluice.parked')
}

const budget = { attempts: maxAttempts, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs: 20_000 }
const expire = (bench: Workbench) =>
  bench.database.query('UPDATE sluice.lane SET lease_until = clock_timestamp() WHERE token IS NOT NULL')

function accept(model: Model, { id, data, conduct }: Operation & { name: 'accept' }, execution: string): string {
  const known = model.inbox.get(eventId(id))
  if (known !== undefined) {
    if (known.data === data) return 'duplicate'
    if (conflicts.has(model) && conflicts.get(model)?.has(id) === true) return 'duplicate' // its dead letter is there already
    conflicts.set(model, (conflicts.get(model) ?? new Set()).add(id))
    model.deadLetters += 1
    return 'dead'
  }
  const lane = model.lanes.get(keyOf(id))
  const entry = { id: eventId(id), attempts: 0 }
  if (execution === 'steps' || lane !== undefined) {
    model.inbox.set(entry.id, { state: 'parked', data })
    model.lanes.set(keyOf(id), [...(lane ?? []), entry])
    return 'parked'
  }
  model.inbox.set(entry.id, { state: 'parked', data })
  model.lanes.set(keyOf(id), [entry])
  return runHead(model, entry.id, conduct)
}

const conflicts = new WeakMap<Model, Set<number>>()

function runHead(model: Model, id: string, conduct: Conduct): string {
  const [key, lane = []] = [...model.lanes].find(([, [head]]) => head?.id === id) ?? ['']
  const [head] = lane
  const known = model.inbox.get(id)
  assert.ok(head !== undefined && known !== undefined)
  head.attempts += 1
  if (conduct === 'fail' && head.attempts < maxAttempts) return 'retrying'
  lane.shift()
  if (lane.length === 0) model.lanes.delete(key)
  known.state = conduct === 'succeed' ? 'done' : 'dead'
  if (conduct === 'succeed') model.effects.push(id)
  else model.deadLetters += 1
  return known.state
}

interface Zombie {
  readonly model: Model
  readonly conducts: Conducts
  readonly pauses: Map<string, { readonly reached: () => void; readonly go: Promise<void> }>
  readonly execution: 'transaction' | 'steps'
}

async function zombie(
  bench: Workbench,
  delivery: Delivery,
  { model, conducts, pauses, execution }: Zombie,
): Promise<void> {
  const [lane, ...others] = await take(bench.database)
  if (lane === undefined) return
  await bench.database.query('UPDATE sluice.lane SET token = NULL, lease_until = NULL WHERE key = ANY ($1)', [
    others.map(({ key }) => key),
  ])
  const { id } = lane.incoming.event
  const head = [...model.lanes.values()].find(([first]) => first?.id === id)?.[0]
  assert.ok(head)
  if (head.attempts >= maxAttempts - 1) return void (await expire(bench)) // no attempt to waste
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  pauses.set(id, { reached: reached.resolve, go: go.promise })
  const first = delivery.run(lane.incoming, lane.token)
  await reached.promise
  head.attempts += 1
  await expire(bench)
  const [again] = (await take(bench.database)).filter(({ key }) => key === lane.key)
  assert.ok(again)
  conducts.set(id, 'succeed')
  const second = delivery.run(again.incoming, again.token)
  // The second run of a transaction function waits for the lock that the zombie holds, that of a steps function does not.
  if (execution === 'steps') assert.equal((await second).outcome, 'done')
  else
    await until(
      'the second run is started',
      async () => (await bench.rows(counted, [id, head.attempts + 1])).length > 0,
    )
  go.resolve()
  assert.equal((await first).outcome, 'stale')
  assert.equal((await second).outcome, runHead(model, id, 'succeed'))
  await bench.database.query('UPDATE sluice.lane SET token = NULL, lease_until = NULL')
}

const counted = 'SELECT FROM sluice.parked WHERE id = $1 AND attempts = $2'

async function assertSame(bench: Workbench, name: string, model: Model): Promise<void> {
  const [inbox, parked, effects, dead] = await Promise.all([
    bench.rows<{ id: string; state: string }>('SELECT id, state FROM sluice.inbox WHERE function = $1', [name]),
    bench.rows<{ key: string; id: string; attempts: number }>(
      'SELECT key, id, attempts FROM sluice.parked WHERE function = $1 ORDER BY key, position',
      [name],
    ),
    bench.rows<{ id: string }>('SELECT id FROM effect WHERE function = $1 ORDER BY n', [name]),
    bench.rows('SELECT FROM sluice.dead_letter WHERE function = $1', [name]),
  ])
  assert.deepEqual(
    new Map(inbox.map(({ id, state }) => [id, state])),
    new Map([...model.inbox].map(([id, { state }]) => [id, state])),
  )
  const lanes = [...model.lanes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, events]) => events.map((event) => ({ key, ...event })))
  assert.deepEqual(parked, lanes)
  for (const key of [0, 1, 2].map((n) => keyOf(n))) {
    const ofKey = (ids: readonly string[]) => ids.filter((id) => keyOf(Number(id.slice(1))) === key)
    assert.deepEqual(ofKey(effects.map(({ id }) => id)), ofKey(model.effects))
  }
  assert.equal(dead.length, model.deadLetters)
}
