// Asks a behaviour for its parts. Its types depend on its function; here, where all kinds meet, they are told apart by the
// kind of the contract.

import type { Component } from '../lifecycle/index.ts'
import type { Adapters } from './adapters.ts'
import type { Surroundings } from './composition.ts'

export interface Composed {
  readonly handler?: unknown
  readonly routes?: unknown
  readonly components?: readonly Component[]
  readonly loops?: readonly Component[]
}

export async function compose(behaviour: unknown, adapters: Adapters, surroundings: Surroundings): Promise<Composed> {
  if (typeof behaviour === 'function') return { handler: behaviour, routes: behaviour }
  const { components: _components, probes: _probes, circuits: _circuits, ...ofNeeds } = adapters
  const resources = { ...ofNeeds, ...surroundings }
  return (behaviour as { compose(resources: object): Composed | Promise<Composed> }).compose(resources)
}
