// `sluice lanes`: keys whose events wait, and what a person may decide about them.

import { parseArgs } from 'node:util'
import {
  createOutbox,
  listLanes,
  readLane,
  releaseLane,
  skipHead,
  type LaneEvent,
  type LaneState,
  type LaneSummary,
} from '../../shared/delivery/index.ts'
import type { Database } from '../../shared/database/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { createInstruments, createLogger } from '../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../shared/time/index.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../stores.ts'

export const command: Command = {
  summary: 'Shows lanes, and lets held ones go on',
  usage: `Usage: sluice lanes list [--function NAME] [--state held|running|waiting] [--tenant T] [--limit N] [--json]
       sluice lanes show FUNCTION KEY [--limit N] [--json]
       sluice lanes release FUNCTION KEY [--position N]
       sluice lanes skip FUNCTION KEY [--position N]

A lane is a key with events that wait, one at a time and in order. It is held when its head has failed as often as its
function allows and the function says onExhausted: 'hold'.

  release   tries the head again now, as it is, from attempt 0
  skip      makes the head of a held lane a dead letter; the lane goes on

  --position N   only if the head is still the event at N, as 'show' printed it (default: the one found there now)
  --limit N      lanes, or events of one lane (default: 50)

  npx sluice lanes list --state held`,
  run: lanes,
}

const options = {
  function: { type: 'string' },
  state: { type: 'string' },
  tenant: { type: 'string' },
  position: { type: 'string' },
  limit: { type: 'string', default: '50' },
  json: { type: 'boolean', default: false },
} as const

const states: readonly string[] = ['held', 'running', 'waiting'] satisfies readonly LaneState[]

async function lanes(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
  const [action, name, key, ...more] = positionals
  const limit = wholeNumber('--limit', values.limit)
  const position = values.position === undefined ? undefined : wholeNumber('--position', values.position)
  if (action === 'list' && name === undefined) {
    const { state, tenant } = values
    if (state !== undefined && !states.includes(state))
      throw new SluiceError('invalid_option', `--state ${state}: expected ${states.join(', ')}`)
    const filter = { function: values.function, state: state as LaneState | undefined, tenant }
    return withDatabase((database) => list(database, { ...filter, limit, json: values.json }))
  }
  if (name === undefined || key === undefined || more.length > 0) return calledWrongly()
  const lane = { function: name, key, tenant: values.tenant }
  if (action === 'show') return withDatabase((database) => show(database, { ...lane, most: limit, json: values.json }))
  if (action === 'release') return withDatabase((database) => release(database, { ...lane, position }))
  if (action === 'skip') return withDatabase((database) => skip(database, { ...lane, position }))
  return calledWrongly()
}

function calledWrongly(): number {
  console.error(`sluice lanes: expected list, or show, release or skip with FUNCTION and KEY\n\n${command.usage}`)
  return 2
}

type ListOptions = Parameters<typeof listLanes>[1] & { readonly json: boolean }

async function list(database: Database, { json, limit, ...filter }: ListOptions): Promise<number> {
  const { lanes: found, next_cursor: more } = await listLanes(database, { ...filter, limit })
  if (json) console.log(JSON.stringify(found, null, 2))
  else if (found.length === 0) console.log('No lanes: nothing waits.')
  else for (const lane of found) console.log(laneLine(lane))
  if (more !== null) console.error(`There are more than ${limit}; see --limit, --function and --state.`)
  return 0
}

type ShowOptions = Parameters<typeof readLane>[1] & { readonly json: boolean }

async function show(database: Database, { json, ...lane }: ShowOptions): Promise<number> {
  const found = await readLane(database, lane)
  if (json) {
    console.log(JSON.stringify(found, null, 2))
    return 0
  }
  console.log(laneLine(found))
  for (const event of found.parked) console.log(eventLine(event))
  if (found.events > found.parked.length) console.log(`  … and ${found.events - found.parked.length} more`)
  return 0
}

type Head = Parameters<typeof releaseLane>[1]

async function release(database: Database, lane: Head): Promise<number> {
  const { head } = await readLane(database, { ...lane, most: 1 })
  await releaseLane(database, { ...lane, position: lane.position ?? head.position })
  console.log(`Event ${plain(head.id)} is tried again now, from attempt 0.`)
  return 0
}

async function skip(database: Database, lane: Head): Promise<number> {
  const { head } = await readLane(database, { ...lane, most: 1 })
  const log = createLogger({ function: 'cli', level: 'silent' })
  const instruments = createInstruments({ function: 'cli' })
  // The copy for the dead-letter topic is stored with it; outbox-sync publishes it.
  const outbox = createOutbox(
    {},
    { database, clock, log, instruments, failpoints: () => undefined, random: Math.random },
  )
  const { id } = await skipHead({ ...lane, position: lane.position ?? head.position }, { database, outbox })
  console.log(`Event ${plain(id)} is a dead letter now; its lane goes on.`)
  return 0
}

function laneLine({ function: name, key, state, held, waits_for, due_at, events, head }: LaneSummary): string {
  const why = held ?? (waits_for === null ? `due ${due_at}` : `for ${waits_for}`)
  const last = head.cause === null ? '' : `, last ${head.cause}`
  const tried = `head ${plain(head.id)} tried ${head.attempts} times${last}`
  return `${name} ${plain(key)}  ${state} (${why})  ${events} events since ${head.parked_at}; ${tried}`
}

function eventLine({ position, id, type, attempts, cause, detail, trace }: LaneEvent): string {
  const failed = cause === null ? '' : `  ${cause}: ${plain(detail ?? '')}`
  const traced = trace === null ? '' : `  trace ${trace.split('-')[1] ?? ''}`
  return `  ${position}  ${plain(id)}  ${plain(type)}  attempts ${attempts}${failed}${traced}`
}

/** Ids, keys and messages come from anybody: nothing in them reaches the terminal as a command. */
const plain = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    JSON.stringify(character).slice(1, -1).replace(character, '�'),
  )

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new SluiceError('invalid_option', `${option} ${text}: expected a whole number from 1`)
}
