// `sluice dead-letters`: events that their functions gave up – look at them, see what a replay would do, run them dry, replay
// them, or give them up.

import type { Database } from '../../shared/database/index.ts'
import {
  discardDeadLetters,
  listDeadLetters,
  planReplay,
  readDeadLetter,
  replayDeadLetters,
  requestDryRun,
  type DeadLetterFilter,
  type ReplayStep,
} from '../../shared/delivery/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { memoryWork } from '../../shared/memory/index.ts'
import { createOutbound } from '../../shared/resilience/index.ts'
import { createInstruments } from '../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../shared/time/index.ts'
import type { Command } from '../command.ts'
import {
  filterOf,
  limitOf,
  meantBy,
  numberOf,
  operatorOf,
  parseDeadLetterArgs,
  type DeadLetterValues,
} from '../dead-letter-options.ts'
import { dryRunText, groupText, letterLine, letterPage, replayText } from '../dead-letters-view.ts'
import { functionAddress } from '../find-platform.ts'
import { untilStopRequested } from '../stop-request.ts'
import { withDatabase } from '../stores.ts'

export const command: Command = {
  summary: 'Shows, replays and discards events that their functions gave up',
  usage: `Usage: sluice dead-letters list | show ID | plan | replay [ID…] | discard [ID…] [options]

  list            newest first
  show ID         everything about one: bytes, cause, attempts, trace, event, journal
  plan            by kind of failure: how many, since when, a sample, and what a replay would do
  replay          puts them back at the ends of their lanes; each once, the ledger remembers
  discard         gives them up

Of which (list, plan, replay, discard):
  --function NAME --type TYPE --tenant NAME --fingerprint HEX
  --since TIME --until TIME    ISO 8601, or an age: 90s, 15m, 2h, 7d
  --state dead|replayed|discarded    list only (default: dead)
  --limit N       at most N (list: 50, dry run: 10, else 10000)
  --all           replay and discard refuse to mean everything without it

For replay:
  --dry-run       runs the handlers in their functions, keeps nothing, prints what they would emit and which steps they
                  would take; steps with effect once or idempotent are not executed
  --rate N        events a second after the first of a kind (default: 10)
  --patience S    seconds for the first of a kind, and for the last ones in their lanes (default: 60)
For replay and discard:
  --reason TEXT   for the ledger; discard needs one

  --json          prints JSON; with show, --raw writes the bytes as received

Works on the running platform, or on DATABASE_URL. Exits 1 when a replay was stopped, refused or failed, or a dry run fails.
docs/dead-letters.md walks through an example.`,
  run: deadLetters,
}

type Verb = (database: Database, ids: readonly string[], values: DeadLetterValues) => Promise<number>

const verbs: Readonly<Record<string, Verb>> = { list, show, plan, replay, discard }

async function deadLetters(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseDeadLetterArgs(args)
  const [name = '', ...ids] = positionals
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (verb === undefined || (ids.length > 0 && (name === 'list' || name === 'plan'))) {
    console.error(`sluice dead-letters: expected list, show ID, plan, replay or discard\n\n${command.usage}`)
    return 2
  }
  const malformed = ids.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
  if (malformed !== undefined) throw new SluiceError('invalid_option', `${malformed} is no id of a dead letter`)
  return withDatabase((database) => verb(database, ids, values))
}

async function list(database: Database, _ids: readonly string[], values: DeadLetterValues): Promise<number> {
  const { state } = values
  if (state !== 'dead' && state !== 'replayed' && state !== 'discarded')
    throw new SluiceError('invalid_option', `--state ${state}: expected dead, replayed or discarded`)
  const page = await listDeadLetters(database, { ...filterOf(values), state }, { limit: limitOf(values, 50) })
  if (values.json) return printed(page)
  for (const letter of page.dead_letters) console.log(letterLine(letter))
  console.log(
    `${page.dead_letters.length} dead letters${page.next_cursor === null ? '' : '; there are more, see --limit'}`,
  )
  return 0
}

async function show(database: Database, [id, ...more]: readonly string[], values: DeadLetterValues): Promise<number> {
  if (id === undefined || more.length > 0) throw new SluiceError('invalid_option', 'show takes one id')
  const letter = await readDeadLetter(database, { id, tenant: values.tenant })
  if (values.raw) process.stdout.write(letter.raw)
  else if (values.json) return printed({ ...letter, raw: letter.raw.toString('base64') })
  else console.log(letterPage(letter))
  return 0
}

async function plan(database: Database, _ids: readonly string[], values: DeadLetterValues): Promise<number> {
  const planned = await planReplay(database, filterOf(values), memoryWork)
  if (values.json) return printed(planned)
  for (const group of planned.groups) console.log(groupText(group))
  console.log(
    `${planned.groups.length} ${planned.groups.length === 1 ? 'kind' : 'kinds'} of failure${planned.more ? ' among the first 10000 dead letters' : ''}`,
  )
  return 0
}

async function replay(database: Database, ids: readonly string[], values: DeadLetterValues): Promise<number> {
  const filter = meantBy(ids, values)
  if (values['dry-run']) return dryRuns(database, filter, values)
  const stop = untilStopRequested()
  const onStep = values.json ? () => undefined : (step: ReplayStep): void => console.log(stepText(step))
  const options = {
    filter,
    operator: operatorOf(values, 'replayed by hand'),
    perSecond: numberOf('rate', values.rate),
    patienceMs: numberOf('patience', values.patience) * 1_000,
    limit: limitOf(values, 10_000),
    onStep,
  }
  try {
    const report = await replayDeadLetters(options, { database, clock, works: memoryWork }, stop.signal)
    if (values.json) printed(report)
    else console.log(replayText(report))
    const clean = report.kinds.every(({ refused, stopped }) => refused.length === 0 && stopped === undefined)
    return clean && report.outcome.dead === 0 ? 0 : 1
  } finally {
    stop.forget()
  }
}

function stepText(step: ReplayStep): string {
  const { function: name, fingerprint } = step.kind
  if (step.step === 'canary') return `${name} ${fingerprint}: trying ${step.deadLetterId} first`
  if (step.step === 'canary-done') return `${name} ${fingerprint}: it is done; the rest follows`
  return `${name} ${fingerprint}: ${step.moved} of ${step.of}`
}

async function dryRuns(database: Database, filter: DeadLetterFilter, values: DeadLetterValues): Promise<number> {
  const stop = untilStopRequested()
  const outbound = createOutbound(
    { dependency: 'function', connectMs: 2_000, headersMs: 600_000, bodyIdleMs: 30_000 },
    { clock, instruments: createInstruments({ function: 'cli' }) },
  )
  try {
    const meant = filter.ids ?? (await meantIds(database, filter, limitOf(values, 10)))
    let clean = true
    for (const id of meant) {
      const key = { id, tenant: values.tenant }
      const run = await requestDryRun(key, { database, outbound, functionUrl: functionAddress, signal: stop.signal })
      if (values.json) printed({ dead_letter_id: id, ...run })
      else console.log(dryRunText(id, run))
      clean &&= run.kind === 'report' && run.report.outcome !== 'failed'
    }
    if (!values.json) console.log(`${meant.length} dry runs`)
    return clean ? 0 : 1
  } finally {
    stop.forget()
    await outbound.stop()
  }
}

async function meantIds(database: Database, filter: DeadLetterFilter, limit: number): Promise<readonly string[]> {
  const { dead_letters } = await listDeadLetters(database, { ...filter, state: 'dead' }, { limit })
  return dead_letters.map(({ dead_letter_id }) => dead_letter_id)
}

async function discard(database: Database, ids: readonly string[], values: DeadLetterValues): Promise<number> {
  if (values.reason === undefined) throw new SluiceError('invalid_option', 'discard needs a --reason for the ledger')
  const options = { filter: meantBy(ids, values), operator: operatorOf(values, ''), limit: limitOf(values, 10_000) }
  const report = await discardDeadLetters(options, database)
  if (values.json) printed(report)
  else {
    for (const { dead_letter_id: id, message } of report.refused) console.log(`${id} refused: ${message}`)
    console.log(`${report.discarded} discarded, ${report.refused.length} refused`)
  }
  return report.refused.length === 0 ? 0 : 1
}

function printed(value: unknown): number {
  console.log(JSON.stringify(value, undefined, 2))
  return 0
}
