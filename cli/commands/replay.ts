// `sluice replay`: posts recorded events to a function.

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { readEventLines, replayEvents, type ReplayReport } from '../../local/replay/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Command } from '../command.ts'
import { untilStopRequested } from '../stop-request.ts'

export const command: Command = {
  summary: 'Posts recorded events to a function',
  usage: `Usage: sluice replay FILE --to URL [options]

Posts the events of a file (JSON lines; '-' is standard input) to a function, one after the other. An event that the
function took before is absorbed: nothing runs. Exits 1 when an event was not answered with 2xx. docs/replay.md describes the format.

  --to URL      the function
  --new-ids     gives each event an id of its own, so that it is handled anew, with all its effects
  --timeout N   seconds to wait for one answer (default: 30)

  npx sluice replay inbound.jsonl --to http://127.0.0.1:20123/`,
  run: replay,
}

const shownFailures = 20

async function replay(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      timeout: { type: 'string', default: '30' },
      'new-ids': { type: 'boolean', default: false },
    },
  })
  const [file, ...more] = positionals
  const { to: url, 'new-ids': newIds } = values
  if (file === undefined || url === undefined || more.length > 0) {
    console.error(`sluice replay: expected one file and --to URL\n\n${command.usage}`)
    return 2
  }
  if (URL.parse(url)?.protocol !== 'http:' && URL.parse(url)?.protocol !== 'https:') {
    throw new SluiceError('invalid_option', `--to ${url}: expected an http or https URL`)
  }
  const timeoutMs = Number(values.timeout) * 1_000
  if (!(timeoutMs > 0)) throw new SluiceError('invalid_option', `--timeout ${values.timeout}: expected seconds`)
  const stop = untilStopRequested()
  try {
    const input = file === '-' ? process.stdin : createReadStream(file)
    const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
    const failed = new Promise<never>((_, reject) =>
      input.once('error', (error: Error) =>
        reject(new SluiceError('invalid_option', `${file} cannot be read: ${error.message}`)),
      ),
    )
    const report = await Promise.race([
      replayEvents(readEventLines(lines), { url, timeoutMs, newIds, signal: stop.signal }),
      failed,
    ])
    print(report, newIds)
    return report.failures.length === 0 ? 0 : 1
  } finally {
    stop.forget()
  }
}

function print({ answers, failures }: ReplayReport, newIds: boolean): void {
  const counts = [...answers].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`)
  const total = [...answers.values()].reduce((sum, count) => sum + count, 0)
  console.log(
    `${total} events answered${counts.length === 0 ? '' : `: ${counts.join(', ')}`}; ${failures.length} failed.`,
  )
  if (total > failures.length) {
    console.log(
      newIds
        ? 'Each had a new id, so all were handled anew.'
        : 'Those that the function had taken before were absorbed: nothing ran for them. --new-ids has them handled anew.',
    )
  }
  for (const { line, reason } of failures.slice(0, shownFailures)) console.error(`line ${line}: ${reason}`)
  if (failures.length > shownFailures) console.error(`… and ${failures.length - shownFailures} more`)
}
