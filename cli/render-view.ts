// The proofs of `sluice render` for people: each function, what triggers it, and every number with what it must stay below.

import type { ProvenFunction } from './render-project.ts'

export const renderProofs = (functions: readonly ProvenFunction[]): string =>
  functions
    .map(({ definition, proven }) => {
      const { name, scale } = definition
      const head = `${name}  ${kindOf(definition)}, ${scale.min} to ${scale.max} instances`
      const lines = proven.flatMap(({ resource, proofs }) => [
        `  ${resource}`,
        ...proofs.map(({ holds, claim }) => `    ${holds ? '✔' : '✖'} ${claim}`),
      ])
      return [head, ...lines].join('\n')
    })
    .join('\n\n')

function kindOf(definition: ProvenFunction['definition']): string {
  if (definition.kind === 'event')
    return `${definition.execution}, ${definition.ordering === 'key' ? 'ordered by key' : 'without order'}`
  return definition.kind === 'scheduled'
    ? `scheduled ${definition.schedule}`
    : `HTTP, ${definition.exposure ?? 'cluster'}`
}
