// I1: every acknowledged event has its effect or a dead letter, along the whole chain, and nothing is left half-way.

import type { History } from '../history/history.ts'
import { breach, deadIds, sendsById, type Breach } from './finding.ts'

export function noEventLost(history: History): readonly Breach[] {
  const { sends, effects, deadLetters, remainder } = history
  const idsOf = (actor: string) => new Set(effects.filter((effect) => effect.actor === actor).map(({ id }) => id))
  const counted = idsOf('counter')
  const banked = idsOf('banker')
  const [deadAtCounter, deadAtBanker] = [deadIds(deadLetters, 'counter'), deadIds(deadLetters, 'banker')]

  const lostAtCounter = [...sendsById(sends)]
    .filter(([, tries]) => tries.some(({ outcome }) => outcome === 'acked'))
    .filter(([id]) => !counted.has(id) && !deadAtCounter.has(id))
    .map(([id]) => breach('I1', `event ${id} was acknowledged and has neither effect nor dead letter`))

  const conflicts = new Set(deadLetters.filter(({ cause }) => cause === 'id_conflict').map(({ id }) => id))
  const lostConflicts = sends
    .filter(({ kind, outcome, id }) => kind === 'conflict' && outcome === 'acked' && !conflicts.has(id))
    .map(({ id }) => breach('I1', `other data under the id ${id} was acknowledged and is no dead letter`))

  const lostBetween = effects
    .filter(({ actor, emitted }) => actor === 'counter' && emitted !== null)
    .filter(({ emitted }) => !banked.has(emitted ?? '') && !deadAtBanker.has(emitted ?? ''))
    .map(({ id, emitted }) => breach('I1', `event ${emitted}, emitted for ${id}, has neither effect nor dead letter`))

  const left = Object.entries(remainder)
    .filter(([, count]) => count !== 0)
    .map(([what, count]) => breach('I1', `${count} ${what} at the end of the run`))
  return [...lostAtCounter, ...lostConflicts, ...lostBetween, ...left]
}
