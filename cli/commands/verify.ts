// `sluice verify`: do inbox, lanes, dead letters, outbox and log agree?

import { parseArgs } from 'node:util'
import { provePositions, reconcile } from '../../shared/delivery/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Command } from '../command.ts'
import { withStores } from '../stores.ts'

export const command: Command = {
  summary: 'Checks that inbox, lanes, dead letters, outbox and log agree',
  usage: `Usage: sluice verify [options]

Reads the tables of delivery and the log, names each offender, and changes nothing:
  outbox-position    emitted events that are not on their way, or without a proven place in the log
  inbox-lease        leases that ran out and were taken over by nobody
  inbox-place        events that are not where their inbox row says
  lane-head          lanes without an event, events without a lane, lanes that are due and not taken
  dead-letter-copy   dead letters without a copy on <topic>.dlq
  sequence-hole      sequences with gaps
  log-position       sent events that are not at their place in the log

  --grace S    seconds that what is under way may take (default: 60)
  --sent N     sent events whose place in the log is looked at, the newest first (default: 1000)
  --limit N    offenders of each check that are named (default: 100)

Works on the running platform, or on DATABASE_URL and KAFKA_BROKERS. Exits 0 when all is well, 1 when not.`,
  run: verify,
}

async function verify(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      grace: { type: 'string', default: '60' },
      sent: { type: 'string', default: '1000' },
      limit: { type: 'string', default: '100' },
    },
  })
  const graceMs = wholeNumber('grace', values.grace) * 1_000
  const samples = wholeNumber('limit', values.limit)
  const sent = wholeNumber('sent', values.sent)
  return withStores(async (stores) => {
    const tables = await reconcile(stores.database, { graceMs, samples })
    const places = await provePositions({ limit: sent }, stores)
    const log = {
      check: 'log-position',
      read: places.read,
      offenders: places.offenders.length,
      samples: places.offenders.slice(0, samples),
    } as const
    const results = [...tables, log]
    for (const { check, read, offenders, samples: named } of results) {
      console.log(
        `${check.padEnd(17)} ${String(read).padStart(8)} read  ${offenders === 0 ? 'ok' : `${offenders} wrong`}`,
      )
      for (const what of named) console.log(`  ${what}`)
      if (offenders > named.length) console.log(`  … and ${offenders - named.length} more`)
    }
    if (places.expired > 0) console.log(`${places.expired} sent events are older than what the log keeps`)
    const wrong = results.reduce((sum, { offenders }) => sum + offenders, 0)
    const read = results.reduce((sum, result) => sum + result.read, 0)
    console.log(wrong === 0 ? `all is well: ${read} rows read` : `${wrong} offenders`)
    return wrong === 0 ? 0 : 1
  })
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new SluiceError('invalid_option', `--${name} ${text}: expected a whole number`)
}
