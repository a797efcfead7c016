// Writes the tables of docs/errors.md and docs/metrics.md from the declarations; the text around them is written by hand.
//   node test/checks/write-tables.ts          writes
//   node test/checks/write-tables.ts --check  names the page that is out of date, and ends with code 1

import { readFileSync, writeFileSync } from 'node:fs'
import { errorCodes } from '../../shared/errors/index.ts'
import { createInstruments } from '../../shared/telemetry/index.ts'
import { metricRows } from './metric-rows.ts'

const begin = '<!-- begin of the generated table -->'
const end = '<!-- end of the generated table -->'

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

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
  'docs/metrics.md': table(
    ['metric', 'kind', 'labels', 'meaning'],
    metricRows(createInstruments({ function: 'docs' })).map(({ name, kind, labels, help }) => [
      `\`${name}\``,
      kind,
      labels.length === 0 ? '–' : labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  ),
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
