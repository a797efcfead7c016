// I3: nothing happened without a cause: no effect of an event that was never sent or that failed, none with other data than
// the first of its id, none from a transaction that was rolled back, no call to the bank for what never was.

import type { History } from '../history/history.ts'
import { breach, sendsById, type Breach } from './finding.ts'

export function noPhantom({ sends, effects, bankCalls }: History): readonly Breach[] {
  const byId = sendsById(sends)
  const counted = new Map(effects.filter(({ actor }) => actor === 'counter').map((effect) => [effect.emitted, effect]))
  const origins = new Set([...counted.values()].map(({ id }) => id))

  const ofCounter = effects
    .filter(({ actor }) => actor === 'counter')
    .flatMap(({ id, amount }) => {
      const tries = byId.get(id) ?? []
      const [first] = tries
      if (first === undefined) return [breach('I3', `effect of event ${id}, which nobody sent`)]
      if (tries.every(({ outcome }) => outcome === 'failed'))
        return [breach('I3', `effect of event ${id}, whose send failed`)]
      if (first.conduct === 'reject' || first.conduct === 'exhaust')
        return [breach('I3', `effect of event ${id}, whose handler always throws`)]
      return first.amount === amount
        ? []
        : [breach('I3', `event ${id} counted ${amount}, it was sent with ${first.amount}`)]
    })

  const ofBanker = effects
    .filter(({ actor }) => actor !== 'counter')
    .filter(({ id, origin, amount }) => {
      const cause = counted.get(id)
      return cause === undefined || cause.id !== origin || cause.amount !== amount
    })
    .map(({ actor, id }) => breach('I3', `effect of ${actor} for event ${id}, which no effect emitted like that`))

  const ofBank = [...new Set(bankCalls.map(({ origin }) => origin))]
    .filter((origin) => !origins.has(origin))
    .map((origin) => breach('I3', `the bank was called for ${origin}, which has no effect`))

  const charged = new Set(
    bankCalls.filter(({ step, applied }) => step === 'charge' && applied).map(({ origin }) => origin),
  )
  const uncharged = effects
    .filter(({ actor, origin }) => actor === 'banker' && !charged.has(origin))
    .map(({ origin }) => breach('I3', `the charge for ${origin} is recorded, and the bank never made it`))
  return [...ofCounter, ...ofBanker, ...ofBank, ...uncharged]
}
