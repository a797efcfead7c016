// Turns of many sessions at once, and how they end.

import { randomUUID } from 'node:crypto'
import { sendMessage } from '../../../local/conversation-client/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { until } from '../../support/until.ts'
import { crowd, type World } from './world.ts'

/** A message in each of as many new sessions. Returns the ids of their turns. */
export async function sendCrowd({ gatewayUrl }: World, size = crowd): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(30_000)
  const sent = Array.from({ length: size }, () =>
    sendMessage({ gatewayUrl, sessionId: randomUUID(), message: 'hello', signal }, { clock }),
  )
  return (await Promise.all(sent)).map(({ turnId }) => turnId)
}

export async function statesOf({ database }: World, turns: readonly string[]): Promise<readonly string[]> {
  const sql = 'SELECT state FROM agent.turn WHERE turn_id = ANY ($1)'
  return (await database.query<{ state: string }>(sql, [turns])).rows.map(({ state }) => state)
}

/** Waits until all have ended. */
export async function endOf(world: World, turns: readonly string[]): Promise<string> {
  const states = await until(
    'every turn has ended',
    async () => {
      const found = await statesOf(world, turns)
      return found.length === turns.length && found.every((one) => one === 'completed' || one === 'failed') && found
    },
    { limitMs: 100_000, everyMs: 200 },
  )
  return `${states.filter((one) => one === 'completed').length} of ${states.length} turns completed`
}
