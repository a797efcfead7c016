// What happened in a simulation, with the time since its beginning.

import type { Clock } from '../../shared/time/index.ts'

export type Actor = 'log' | 'source' | 'function' | 'lane' | 'fault'

export interface TimelineEntry {
  readonly atMs: number
  readonly actor: Actor
  readonly text: string
}

export interface Timeline {
  readonly entries: readonly TimelineEntry[]
  note(actor: Actor, text: string): void
}

export function createTimeline(clock: Clock): Timeline {
  const startMs = clock.now()
  const entries: TimelineEntry[] = []
  return { entries, note: (actor, text) => void entries.push({ atMs: clock.now() - startMs, actor, text }) }
}

export const formatEntry = ({ atMs, actor, text }: TimelineEntry): string =>
  `${formatMoment(atMs)}  ${actor.padEnd(8)}  ${text}`

/** `+1:02:03.456` */
export function formatMoment(ms: number): string {
  const whole = Math.round(ms)
  const part = (unitMs: number, modulo: number, digits: number): string =>
    String(Math.floor(whole / unitMs) % modulo).padStart(digits, '0')
  return `+${Math.floor(whole / 3_600_000)}:${part(60_000, 60, 2)}:${part(1_000, 60, 2)}.${part(1, 1_000, 3)}`
}
