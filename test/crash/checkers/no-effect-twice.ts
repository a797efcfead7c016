// I2: an event has one effect, the bank one charge for it, and stored counters are exactly what the model says.

import { topicOfSenders, type History } from '../history/history.ts'
import { breach, deadIds, firstOccurrences, sendsById, type Breach } from './finding.ts'

export function noEffectTwice(history: History): readonly Breach[] {
  return [...repeatedEffects(history), ...repeatedCalls(history), ...wrongCounters(history)]
}

function repeatedEffects({ effects }: History): readonly Breach[] {
  const byEvent = Map.groupBy(effects, ({ actor, id }) => `${actor} of event ${id}`)
  const byOrigin = Map.groupBy(effects, ({ actor, origin }) => `${actor} of origin ${origin}`)
  return [...byEvent, ...byOrigin]
    .filter(([, rows]) => rows.length > 1)
    .map(([what, rows]) => breach('I2', `${rows.length} effects of ${what}`))
}

/** One idempotency key for each charge, so the bank can tell a repeat; one call at all for what may run only once. */
function repeatedCalls({ bankCalls }: History): readonly Breach[] {
  const ofStep = (step: string) =>
    Map.groupBy(
      bankCalls.filter((call) => call.step === step),
      ({ origin }) => origin,
    )
  const charged = [...ofStep('charge')]
    .map(([origin, calls]) => ({
      origin,
      keys: new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size,
      applied: calls.filter(({ applied }) => applied).length,
    }))
    .filter(({ keys, applied }) => keys > 1 || applied > 1)
    .map(({ origin, keys, applied }) => breach('I2', `${applied} charges under ${keys} keys for ${origin}`))
  const told = [...ofStep('notify')]
    .filter(([, calls]) => calls.length > 1)
    .map(([origin, calls]) => breach('I2', `${calls.length} calls of a step that runs once, for ${origin}`))
  return [...charged, ...told]
}

/** The model: of each key, the sum over its events that are in the topic and not dead. */
function wrongCounters({ sends, records, deadLetters, counters }: History): readonly Breach[] {
  const dead = deadIds(deadLetters, 'counter')
  const amounts = new Map([...sendsById(sends)].map(([id, [first]]) => [id, first?.amount ?? 0]))
  const stored = new Map(counters.filter(({ actor }) => actor === 'counter').map(({ key, value }) => [key, value]))
  return [...firstOccurrences(records, topicOfSenders)].flatMap(([key, ids]) => {
    const expected = ids.filter((id) => !dead.has(id)).reduce((sum, id) => sum + (amounts.get(id) ?? 0), 0)
    const value = stored.get(key) ?? 0
    return value === expected ? [] : [breach('I2', `counter ${key} is ${value}, the model says ${expected}`)]
  })
}
