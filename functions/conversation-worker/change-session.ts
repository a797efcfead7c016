// A change of a conversation: one transaction, then the hint to its readers that something new can be read.

import type { Effects } from '../../shared/delivery/index.ts'
import { sessionChannel, type SessionSignal } from '../../shared/events/index.ts'
import type { Channel } from '../../shared/key-value/index.ts'
import type { Instruments, Logger } from '../../shared/telemetry/index.ts'
import { openScene, type ConversationKey, type Scene } from './session-scene.ts'

export interface ChangeDeps {
  readonly channel: Channel
  readonly log: Logger
  readonly instruments: Pick<Instruments, 'turns'>
}

export interface ChangeTarget {
  readonly key: ConversationKey
  readonly turnId: string
}

interface Changed<Result> {
  readonly result: Result
  readonly position: number
  readonly ended: Scene['ended']
}

/** `transaction` or `commit` of a step context. */
export type InTransaction = <Result>(work: (effects: Effects) => Promise<Result>) => Promise<Result>

export type ChangeSession = <Result>(
  run: InTransaction,
  target: ChangeTarget,
  work: (scene: Scene) => Promise<Result>,
) => Promise<Result>

export const createChangeSession =
  ({ channel, log, instruments }: ChangeDeps): ChangeSession =>
  async <Result>(run: InTransaction, { key, turnId }: ChangeTarget, work: (scene: Scene) => Promise<Result>) => {
    const { result, position, ended } = await run(async (effects): Promise<Changed<Result>> => {
      const scene = await openScene(effects, key, turnId)
      const outcome = await work(scene)
      return { result: outcome, position: await scene.finish(), ended: scene.ended }
    })
    for (const outcome of ended) instruments.turns.inc({ outcome })
    const signal: SessionSignal = { kind: 'durable', position }
    // Not waited for: a reader that misses it looks again by itself.
    channel.publish(sessionChannel(key.tenant, key.sessionId), JSON.stringify(signal)).catch((error: unknown) => {
      log.debug({ err: error }, 'readers of a session were not told of new events')
    })
    return result
  }
