// Tells a running model call that its turn is to stop: someone interrupted or cancelled it. The truth is `interrupt_cause` of
// the turn's row, which the gateway sets in the transaction that stores the request; the channel only makes it quick.
//
// A watch that begins before the row is read misses nothing. A lost signal costs `pollMs`. A turn that waits for its next try
// of the model is not waited for: its lane goes on at once.

import type { Database } from '../../shared/database/index.ts'
import { hurryLane } from '../../shared/delivery/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { parseTurnStop, stopChannel, type TurnStop } from '../../shared/events/index.ts'
import type { Channel } from '../../shared/key-value/index.ts'
import type { Component, ComponentHealth } from '../../shared/lifecycle/index.ts'
import type { Logger } from '../../shared/telemetry/index.ts'
import type { Clock, Timer } from '../../shared/time/index.ts'
import { conversationWorker } from './function.ts'
import type { ConversationKey } from './session-scene.ts'

export interface StopWatch {
  /** Aborts when the turn is to stop. */
  readonly signal: AbortSignal
  end(): void
}

export interface TurnStops extends Component {
  watch(key: ConversationKey, turnId: string): StopWatch
}

export interface TurnStopsDeps {
  readonly channel: Channel
  readonly database: Pick<Database, 'query' | 'notify'>
  readonly clock: Clock
  readonly log: Logger
}

interface Watched {
  readonly key: ConversationKey
  readonly check: () => void
}

export function createTurnStops({ pollMs = 2_000 }: { readonly pollMs?: number }, deps: TurnStopsDeps): TurnStops {
  const { channel, database, clock, log } = deps
  const watched = new Set<Watched>()
  let subscription: { stop(): Promise<void> } | undefined
  let health: ComponentHealth = { status: 'unknown' }

  const onMessage = (text: string): void => {
    const stop = parseTurnStop(text)
    for (const { key, check } of watched) {
      if (stop === undefined || (key.tenant === stop.tenant && key.sessionId === stop.session_id)) check()
    }
    if (stop !== undefined) hurry(stop)
  }

  function hurry({ session_id: key }: TurnStop): void {
    hurryLane(database, { function: conversationWorker.name, key }).catch((error: unknown) => {
      log.debug({ err: error }, 'a lane was not hurried; it goes on by itself')
    })
  }

  async function abortIfStopped(
    { tenant, sessionId }: ConversationKey,
    turnId: string,
    controller: AbortController,
  ): Promise<void> {
    const { rows } = await database.query(stoppedSql, [tenant, sessionId, turnId])
    if (rows.length > 0) controller.abort(new SluiceError('aborted', 'The turn is to stop'))
  }

  function watch(key: ConversationKey, turnId: string): StopWatch {
    const controller = new AbortController()
    let timer: Timer | undefined
    const check = (): void => {
      abortIfStopped(key, turnId, controller).catch((error: unknown) => {
        log.debug({ err: error }, 'could not look whether the turn is to stop')
      })
    }
    const poll = (): void => {
      timer = clock.after(pollMs, () => {
        check()
        poll()
      })
    }
    const entry = { key, check }
    watched.add(entry)
    poll()
    return {
      signal: controller.signal,
      end: () => {
        timer?.cancel()
        watched.delete(entry)
      },
    }
  }

  return {
    name: 'turn-stops',
    start: async () => {
      subscription = await channel.subscribe(stopChannel, onMessage)
      health = { status: 'up', at: clock.now() }
    },
    stop: async () => {
      await subscription?.stop()
      subscription = undefined
      health = { status: 'unknown', at: clock.now() }
    },
    health: () => health,
    watch,
  }
}

const stoppedSql = `
  SELECT FROM agent.turn
  WHERE tenant = $1 AND session_id = $2 AND turn_id = $3 AND interrupt_cause IS NOT NULL`
