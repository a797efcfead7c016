// Services that the environment names: one that does not answer is told by the variable that names it, soon and without its
// password.

import type { Config } from '../../shared/config/index.ts'
import { messageOf, SluiceError } from '../../shared/errors/index.ts'
import type { Component } from '../../shared/lifecycle/index.ts'

/** Long enough for a server of another continent; a person waits. */
const answerWithinMs = 4_000
/** A server that refuses is asked again for so long, in milliseconds: it may be starting, too. */
export const givenTriesMs = 2_000

export interface GivenService {
  readonly variable: 'DATABASE_URL' | 'KAFKA_BROKERS'
  /** Where it is, as far as it may be shown. */
  readonly place: string
}

export function givenPostgres({ databaseUrl }: Pick<Config, 'databaseUrl'>): GivenService | undefined {
  if (databaseUrl === undefined) return undefined
  const { hostname, port, pathname } = new URL(databaseUrl.reveal())
  return { variable: 'DATABASE_URL', place: `${hostname}:${port === '' ? '5432' : port}${pathname}` }
}

export const givenKafka = ({ kafkaBrokers }: Pick<Config, 'kafkaBrokers'>): GivenService | undefined =>
  kafkaBrokers.length === 0 ? undefined : { variable: 'KAFKA_BROKERS', place: kafkaBrokers.join(',') }

/** Starts the component that works with the service. @throws SluiceError `start_failed` naming variable and place. */
export async function startGiven(
  given: GivenService | undefined,
  component: Component,
  signal: AbortSignal,
): Promise<void> {
  if (given === undefined) return component.start(signal)
  const { variable, place } = given
  const limit = new AbortController()
  const late = new Error(`no answer within ${answerWithinMs / 1_000} s`)
  const timer = setTimeout(() => limit.abort(late), answerWithinMs)
  const expired = new Promise<never>((_, reject) => limit.signal.addEventListener('abort', () => reject(late)))
  try {
    await Promise.race([component.start(AbortSignal.any([signal, limit.signal])), expired])
  } catch (cause) {
    if (signal.aborted) throw cause
    await component.stop()
    throw new SluiceError('start_failed', `${variable} names ${place}, which cannot be used: ${reasonOf(cause)}`, {
      cause,
    })
  } finally {
    clearTimeout(timer)
  }
}

function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown }
  return cause instanceof Error ? reasonOf(cause) : messageOf(error)
}
