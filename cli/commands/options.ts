// `sluice options`: the table of every boot option, from the declarations themselves.

import { parseArgs } from 'node:util'
import { describeOptions, type OptionRow } from '../../shared/config/index.ts'
import type { Command } from '../command.ts'

const columns = ['name', 'variable', 'default', 'help'] as const
const headings = { name: 'NAME', variable: 'VARIABLE', default: 'DEFAULT', help: 'MEANING' } as const
const gap = '  '
/** A meaning narrower than this is harder to read than one that the terminal breaks. */
const narrowestMeaning = 30

export const command: Command = {
  summary: 'Lists every option with its variable, default and meaning',
  usage: `Usage: sluice options [--json]

Options are set by environment variables. An unknown SLUICE_* variable or a bad value ends the start with a line naming it.

  --json   an array of {name, variable, default, help} instead of the table`,
  run: (args) => {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } })
    const rows = describeOptions()
    console.log(values.json ? JSON.stringify(rows, null, 2) : renderTable(rows, process.stdout.columns))
    return Promise.resolve(0)
  },
}

/** `width` is that of the terminal; undefined, as in a pipe, breaks no lines. */
export function renderTable(rows: readonly OptionRow[], width: number | undefined): string {
  const widths = Object.fromEntries(
    columns.map((column) => [column, Math.max(...[headings, ...rows].map((row) => row[column].length))]),
  ) as Record<(typeof columns)[number], number>
  const left = columns.slice(0, 3)
  const indent = left.reduce((sum, column) => sum + widths[column] + gap.length, 0)
  const room = width === undefined || width - indent < narrowestMeaning ? Infinity : width - indent
  return [headings, ...rows]
    .map((row) => {
      const start = left.map((column) => row[column].padEnd(widths[column]) + gap).join('')
      return start + wrap(row.help, room).join(`\n${' '.repeat(indent)}`)
    })
    .join('\n')
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
