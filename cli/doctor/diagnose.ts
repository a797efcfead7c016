// Runs every rule over every manifest.
//
// D1  An object says with the annotation sluice.dev/doctor-ignore which rules do not hold for it; a name that is no rule is an error,
//     so that a misspelt exception does not go unnoticed.

import { objectAt, type Manifest } from './manifest.ts'
import { nameOf, type Breach, type Finding, type Rule } from './rule.ts'

export const ignoreAnnotation = 'sluice.dev/doctor-ignore'

export function diagnose(all: readonly Manifest[], rules: readonly Rule[]): readonly Finding[] {
  return all.flatMap((manifest) => {
    const ignored = ignoredBy(manifest)
    const unknown = ignored.filter((id) => !rules.some((rule) => rule.id === id))
    const findings = rules
      .filter((rule) => !ignored.includes(rule.id) && rule.on(manifest))
      .flatMap((rule) => [...rule.check(manifest, all)].map((breach) => findingOf(rule.id, manifest, breach)))
    return [...unknown.map((id) => findingOf('unknown-rule', manifest, unknownRule(id))), ...findings]
  })
}

function ignoredBy({ value }: Manifest): readonly string[] {
  const text = objectAt(value, ['metadata', 'annotations'])[ignoreAnnotation]
  return typeof text === 'string' ? text.split(',').map((id) => id.trim()) : []
}

const unknownRule = (id: string): Breach => ({
  level: 'error',
  path: ['metadata', 'annotations', ignoreAnnotation],
  message: `there is no rule ${id} to ignore`,
  remedy: 'sluice doctor --rules lists them',
})

const findingOf = (rule: string, manifest: Manifest, { level, path, message, remedy }: Breach): Finding => ({
  rule,
  level,
  place: manifest.place(path),
  object: nameOf(manifest),
  message,
  remedy,
})
