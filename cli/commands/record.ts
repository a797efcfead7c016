// `sluice record`: the events of a topic as JSON lines on standard output.

import { parseArgs } from 'node:util'
import { formatEventLine, recordEvents } from '../../local/replay/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Command } from '../command.ts'
import { untilStopRequested } from '../stop-request.ts'
import { withEventLog } from '../stores.ts'

export const command: Command = {
  summary: 'Writes the events of a topic to standard output',
  usage: `Usage: sluice record TOPIC [options]

Writes the events of a topic as JSON lines, which 'sluice replay' posts again. docs/replay.md describes the format.

  --from earliest   what the log holds now, then ends (default)
  --from latest     what comes from now on, until the limit or Ctrl-C
  --limit N         at most N events

  npx sluice record conversation.inbound > inbound.jsonl`,
  run: record,
}

async function record(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { from: { type: 'string', default: 'earliest' }, limit: { type: 'string' } },
  })
  const [topic, ...more] = positionals
  if (topic === undefined || more.length > 0) {
    console.error(`sluice record: expected one topic\n\n${command.usage}`)
    return 2
  }
  const { from } = values
  if (from !== 'earliest' && from !== 'latest')
    throw new SluiceError('invalid_option', `--from ${from}: expected earliest or latest`)
  const limit = limitOf(values.limit)
  const stop = untilStopRequested()
  let skipped = 0
  try {
    await withEventLog(async (log) => {
      for await (const recorded of recordEvents({ topic, from, limit }, log, stop.signal)) {
        if (recorded.kind === 'event') process.stdout.write(`${formatEventLine(recorded.event)}\n`)
        else skipped += 1
      }
    })
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    stop.forget()
  }
  if (skipped > 0) console.error(`${skipped} records are no CloudEvents and were skipped.`)
  return 0
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new SluiceError('invalid_option', `--limit ${text}: expected a whole number from 1`)
}
