// The report for people: worst first, and per finding where, what, the remedy and where it is written.

import { relative } from 'node:path'
import type { Finding, Level, Rule } from '../rule.ts'

export interface Diagnosis {
  readonly files: number
  readonly manifests: number
  readonly rules: readonly Rule[]
  readonly findings: readonly Finding[]
}

const rank: Readonly<Record<Level, number>> = { error: 0, warning: 1, note: 2 }

export function textReport({ files, manifests, rules, findings }: Diagnosis): string {
  const blocks = findings
    .toSorted((a, b) => rank[a.level] - rank[b.level])
    .map((finding) =>
      block(
        finding,
        rules.find(({ id }) => id === finding.rule),
      ),
    )
  const counts = (['error', 'warning', 'note'] as const).map((level) =>
    count(findings.filter((finding) => finding.level === level).length, level),
  )
  const read = `${count(manifests, 'object')} in ${count(files, 'file')}, ${count(rules.length, 'rule')}`
  return [...blocks, `${read}: ${counts.join(', ')}`].join('\n')
}

const block = ({ rule, level, place, object, message, remedy }: Finding, about: Rule | undefined): string =>
  [
    `${level} ${rule}  ${shownFile(place.file)}:${place.line}:${place.column}  ${object}`.trimEnd(),
    `  ${message}`,
    `  remedy: ${remedy}`,
    ...(about === undefined ? [] : [`  see ${about.references.map(({ text }) => text).join('; ')}`]),
    '',
  ].join('\n')

export const shownFile = (file: string): string => (file.startsWith('<') ? file : relative(process.cwd(), file))

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`
