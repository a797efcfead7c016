// Writes the tables of docs/errors.md and docs/metrics.md from the declarations; the text around them is written by hand.
//   node test/checks/write-tables.ts          writes
//   node test/checks/write-tables.ts --check  names the page that is out of date, and ends with code 1

import { readFileSync, writeFileSync } from 'node:fs'
import { errorCodes } from '../../shared/errors/index.ts'
import { createInstruments } from '../../shared/telemetry/index.ts'
import { bucketRows, metricRows, type MetricRow } from './metric-rows.ts'

const begin = '<!-- begin of the generated table -->'
const end = '<!-- end of the generated table -->'

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const metrics = metricRows(createInstruments({ function: 'docs' }))

const labelsOf = (labels: MetricRow['labels']): string => {
  const named = Object.entries(labels).map(([label, { text }]) => `\`${label}\`: ${text}`)
  return named.length === 0 ? '–' : named.join('; ')
}

const pages = {
  'docs/errors.md': table(
    ['code', 'status', 'retryable', 'meaning'],
    Object.entries(errorCodes).map(([code, { status, retryable, title }]) => [
      `\`${code}\``,
      String(status),
      retryable ? 'yes' : 'no',
      title,
    ]),
  ),
  'docs/metrics.md': [
    table(
      ['metric', 'kind', 'labels and their values', 'meaning'],
      metrics.map(({ name, kind, labels, help }) => [`\`${name}\``, kind, labelsOf(labels), help]),
    ),
    'The bounds of the histograms, in seconds, and why they are these:',
    table(
      ['buckets', 'histograms', 'why'],
      bucketRows(metrics).map(({ seconds, histograms, reason }) => [
        seconds.join(' '),
        histograms.map((name) => `\`${name}\``).join(', '),
        reason,
      ]),
    ),
  ].join('\n\n'),
}

const check = process.argv.includes('--check')
for (const [name, text] of Object.entries(pages)) {
  const file = new URL(`../../${name}`, import.meta.url)
  const page = readFileSync(file, 'utf8')
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) throw new Error(`${name} has lost its marks '${begin}' and '${end}'`)
  const wanted = `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`
  if (wanted === page) continue
  if (check) {
    console.error(`${name} does not match the declarations`)
    process.exitCode = 1
  } else writeFileSync(file, wanted)
}
