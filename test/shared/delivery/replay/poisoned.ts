// Dead letters to work on: events that a function's handler refuses for as long as a test says.

import type { TestContext } from 'node:test'
import { createDelivery, type Delivery } from '../../../../shared/delivery/index.ts'
import { RejectedError } from '../../../../shared/errors/index.ts'
import { toolCallFinished } from '../../../../shared/events/index.ts'
import { atEnd } from '../../../support/index.ts'
import {
  contractOf,
  createWorkbench,
  finished,
  incoming,
  take,
  type EventChanges,
  type Workbench,
} from '../workbench.ts'

export interface Poisoned extends Workbench {
  readonly delivery: Delivery
  /** Ids that the handler refuses now, and with which words. */
  readonly poison: Map<string, () => Error>
  /** Ids whose handler ran to its end, in order. */
  readonly effects: () => Promise<readonly string[]>
  send(changes: EventChanges & { readonly id: string }): Promise<void>
  letterOf(id: string): Promise<string>
}

/** Data that the schema of tool.call.requested takes. */
export const requested = (callId: string): object => ({
  session_id: 's',
  turn_id: 't',
  call_id: callId,
  tool: 'echo',
  arguments: {},
})

const bad = (): Error => new RejectedError({ code: 'rejected', reason: 'no such thing' })

export const otherwise = (): Error => {
  const failure = new RejectedError({ code: 'tool_disabled', reason: 'another reason' })
  return failure
}

/** A `transaction` function that refuses the given ids. */
export async function createPoisoned(t: TestContext, ids: readonly string[]): Promise<Poisoned> {
  const bench = await createWorkbench(t)
  await bench.database.query('CREATE TABLE effect (id text, n bigint GENERATED ALWAYS AS IDENTITY)')
  const poison = new Map(ids.map((id) => [id, bad] as const))
  const delivery = createDelivery(
    contractOf('transaction'),
    async ({ id }, { tx, emit }) => {
      await tx.query('INSERT INTO effect (id) VALUES ($1)', [id])
      emit(toolCallFinished, finished(id), { key: 's' })
      const refuse = poison.get(id)
      if (refuse !== undefined) throw refuse()
    },
    bench,
  )
  return {
    ...bench,
    delivery,
    poison,
    effects: async () => (await bench.rows<{ id: string }>('SELECT id FROM effect ORDER BY n')).map(({ id }) => id),
    send: async (changes) => void (await delivery.accept(incoming({ data: requested(changes.id), ...changes }))),
    letterOf: async (id) =>
      (
        await bench.rows<{ dead_letter_id: string }>(
          `SELECT dead_letter_id FROM sluice.dead_letter WHERE id = $1 ORDER BY at DESC LIMIT 1`,
          [id],
        )
      )[0]?.dead_letter_id ?? '',
  }
}

/** Runs lanes as the driver would, until the test ends. */
export function driveLanes(t: TestContext, { database, delivery, clock }: Poisoned): void {
  const end = new AbortController()
  const running = (async () => {
    while (!end.signal.aborted) {
      for (const lane of await take(database)) await delivery.run(lane.incoming, lane.token)
      await clock.sleep(10, end.signal).catch(() => undefined)
    }
  })()
  atEnd(t, async () => {
    end.abort()
    await running
  })
}

export const operator = { by: 'test', reason: 'fixed' }
