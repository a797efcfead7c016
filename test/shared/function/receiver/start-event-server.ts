// A real receiver on a free port for the length of a test, with a handler that remembers what reached it.

import type { TestContext } from 'node:test'
import type { CloudEvent } from '../../../../shared/events/index.ts'
import { conversationMessageReceived, topics } from '../../../../shared/events/index.ts'
import {
  anyEvent,
  defineFunction,
  type Consumes,
  type EventFunction,
  type StatelessContext,
} from '../../../../shared/function/index.ts'
import type { StatelessHandler, Work } from '../../../../shared/function/receiver/event-intake.ts'
import { createEventServer } from '../../../../shared/function/receiver/event-server.ts'
import type { Receiver } from '../../../../shared/function/receiver/receiver.ts'
import type { OverloadGuard } from '../../../../shared/function/receiver/overload-guard.ts'
import { receiverLimits, type ServerLimits } from '../../../../shared/function/server-limits.ts'
import { createInstruments, createLogger, type Instruments } from '../../../../shared/telemetry/index.ts'
import { systemClock, type Clock } from '../../../../shared/time/index.ts'
import { atEnd } from '../../../support/index.ts'

export const consumesMessages = [{ topic: topics.conversationInbound, type: conversationMessageReceived }] as const
export { anyEvent }

export interface EventServerOptions {
  readonly consumes?: Consumes
  readonly handler?: StatelessHandler
  readonly work?: Work
  readonly concurrency?: number
  readonly timeoutMs?: number
  readonly limits?: Partial<ServerLimits>
  readonly clock?: Clock
  readonly guard?: Pick<OverloadGuard, 'sheds'>
  readonly answer?: (path: string) => { readonly status: 200 | 503; readonly body: string } | undefined
}

export interface EventServerOfTest {
  readonly port: number
  readonly receiver: Receiver
  readonly instruments: Instruments
  /** What reached the handler. */
  readonly events: readonly CloudEvent[]
  readonly contexts: readonly StatelessContext[]
  /** The log, record by record. */
  readonly records: () => readonly Record<string, unknown>[]
  readonly logText: () => string
}

export async function startEventServer(t: TestContext, options: EventServerOptions = {}): Promise<EventServerOfTest> {
  const { consumes = consumesMessages, concurrency = 20, timeoutMs = 10_000, clock = systemClock } = options
  const definition: EventFunction = defineFunction({
    name: 'receiver-test',
    purpose: 'Tests the receiver',
    consumes,
    produces: [],
    execution: 'stateless',
    ordering: 'none',
    delivery: { attempts: 1, backoff: { firstMs: 1, maxMs: 1 }, timeoutMs },
    needs: [],
    scale: { min: 0, max: 1, concurrency },
  })
  const events: CloudEvent[] = []
  const contexts: StatelessContext[] = []
  const handler: StatelessHandler = async (event, context) => {
    events.push(event)
    contexts.push(context)
    await options.handler?.(event, context)
  }
  let text = ''
  const log = createLogger(
    { function: 'receiver-test', level: 'info' },
    { write: (line: string) => void (text += line) },
  )
  const instruments = createInstruments({ function: 'receiver-test' })
  const receiver = createEventServer(
    definition,
    { host: '127.0.0.1', port: 0, limits: { ...receiverLimits, ...options.limits } },
    {
      clock,
      log,
      instruments,
      health: { answer: options.answer ?? (() => undefined) },
      guard: options.guard,
      work: options.work ?? { kind: 'stateless', handler },
    },
  )
  await receiver.start(new AbortController().signal)
  atEnd(t, () => receiver.stop())
  const records = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { port: receiver.port(), receiver, instruments, events, contexts, records, logText: () => text }
}

/** The headers of a message event in binary mode. */
export const messageHeaders = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  'ce-specversion': '1.0',
  'ce-id': 'id-1',
  'ce-source': '/test',
  'ce-type': 'conversation.message.received.v1',
  'ce-tenant': 'local',
  'content-type': 'application/json',
  ...more,
})

export const message = (text = 'hello', more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ session_id: 's1', turn_id: 't1', message: text, ...more })
