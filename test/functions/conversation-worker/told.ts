// What a person is told of a session, by its stream.

import type { StreamedEvent } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'

/** What a stream told, in short: `turn.started`, and of progress its phase. */
export const toldTypes = (events: readonly StreamedEvent[]): readonly string[] =>
  events.map(({ type, data }) => {
    const short = type.replace(/^conversation\./, '').replace(/\.v1$/, '')
    return short === 'turn.progressed' ? (data['data'] as { phase: string }).phase : short
  })

export const streamOf = ({ url }: Platform, sessionId: string): string => `${url}/v1/session/${sessionId}/events`
