// SARIF 2.1.0, which code hosts and editors show at the line. https://docs.oasis-open.org/sarif/sarif/v2.1.0/

import type { Finding, Rule } from '../rule.ts'
import { shownFile, type Diagnosis } from './text-report.ts'

export function sarifReport({ rules, findings }: Diagnosis): string {
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'sluice doctor', rules: rules.map(descriptor) } },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => result(finding, rules)),
      },
    ],
  }
  return JSON.stringify(log, null, 2)
}

function descriptor({ id, summary, references }: Rule): object {
  const helpUri = references.find(({ url }) => url !== undefined)?.url
  return {
    id,
    shortDescription: { text: summary },
    help: { text: `See ${references.map(({ text }) => text).join('; ')}.` },
    ...(helpUri === undefined ? {} : { helpUri }),
  }
}

function result({ rule, level, place, object, message, remedy }: Finding, rules: readonly Rule[]): object {
  const ruleIndex = rules.findIndex(({ id }) => id === rule)
  const subject = object === '' ? '' : `${object}: `
  return {
    ruleId: rule,
    ...(ruleIndex === -1 ? {} : { ruleIndex }),
    level,
    message: { text: `${subject}${message}. Remedy: ${remedy}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(shownFile(place.file).replaceAll('\\', '/')) },
          region: { startLine: place.line, startColumn: place.column },
        },
      },
    ],
  }
}
