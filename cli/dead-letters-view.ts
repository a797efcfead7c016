// How dead letters, plans and reports look in a terminal. What senders wrote goes through terminalText.

import type {
  DeadLetterDetail,
  DeadLetterSummary,
  DryRun,
  DryRunReport,
  PlannedGroup,
  ReplayReport,
} from '../shared/delivery/index.ts'
import { terminalText } from './terminal-text.ts'

const shownBytes = 4_096

export function letterLine({
  dead_letter_id: id,
  at,
  function: name,
  cause,
  type,
  key,
  state,
}: DeadLetterSummary): string {
  const what = type ?? 'no event'
  const place = key === null ? '' : ` key ${key}`
  return terminalText(`${id}  ${at}  ${name}  ${cause}  ${what}${place}${state === 'dead' ? '' : `  (${state})`}`)
}

export function letterPage(letter: DeadLetterDetail): string {
  const { raw, event, headers, steps, ledger } = letter
  const place = letter.topic === null ? 'unknown' : `${letter.topic}/${letter.partition ?? '?'}@${letter.offset ?? '?'}`
  const facts = [
    ['dead letter', letter.dead_letter_id],
    ['function', `${letter.function} (version ${letter.function_version}, config ${letter.config_version})`],
    [
      'died',
      `${letter.at}, after ${letter.attempts} attempts${letter.origin === 'source' ? ', given up by its KafkaSource' : ''}`,
    ],
    ['cause', `${letter.cause}: ${letter.message}`],
    ['fingerprint', letter.fingerprint],
    [
      'event',
      letter.id === null ? 'none: it could not be read' : `${letter.type ?? ''} ${letter.id} of ${letter.source ?? ''}`,
    ],
    ['tenant, key', `${letter.tenant === '' ? '–' : letter.tenant}, ${letter.key ?? '–'}`],
    ['from', place],
    ['trace', letter.trace ?? '–'],
    ['state', ledger === null ? letter.state : `${ledger.action} ${ledger.at} by ${ledger.by}: ${ledger.reason}`],
  ].map(([name = '', value = '']) => `${name.padEnd(12)} ${value}`)
  const journal = steps.map(({ name, effect, state }) => `  ${name} (${effect}) ${state}`)
  const lines = [
    ...facts,
    ...(journal.length === 0 ? [] : ['steps so far', ...journal]),
    ...(event === null ? [] : ['event', indented(JSON.stringify(event, undefined, 2))]),
    ...(headers === null ? [] : ['headers', indented(JSON.stringify(headers, undefined, 2))]),
    `raw, ${raw.length} bytes`,
    indented(rawText(raw)),
  ]
  return terminalText(lines.join('\n'))
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ')

/** Text as it is; anything else in hex. */
function rawText(raw: Buffer): string {
  const shown = raw.subarray(0, shownBytes)
  const more = raw.length > shownBytes ? `\n… and ${raw.length - shownBytes} bytes more (--raw writes all)` : ''
  // oxlint-disable-next-line no-control-regex -- a terminal obeys control characters
  const isText = !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffd]/.test(shown.toString())
  return (isText ? shown.toString() : (shown.toString('hex').match(/.{1,64}/g) ?? []).join('\n')) + more
}

export function groupText(group: PlannedGroup): string {
  const { function: name, fingerprint, cause, count, keys, oldest, newest, sample, replayable, refused } = group
  const reasons = Object.entries(refused).map(([reason, number]) => `${number} refused (${reason})`)
  const span = count === 1 ? oldest : `${oldest} to ${newest}`
  const lines = [
    `${name}  ${cause}  fingerprint ${fingerprint}`,
    `  ${count} dead, in ${keys} lanes, ${span}`,
    `  e.g. ${sample.dead_letter_id} (${sample.type ?? 'no event'}): ${sample.message}`,
    `  a replay: ${[`${replayable} back to the ends of their lanes`, ...reasons].join(', ')}`,
  ]
  return terminalText(lines.join('\n'))
}

export function dryRunText(id: string, run: DryRun): string {
  if (run.kind === 'refused') return `${id}  ${run.message}`
  const { outcome, failure, emissions, steps, ms } = run.report
  const lines = [
    `${id}  ${outcomeText(run.report, ms)}`,
    ...steps.map(({ name, effect, taken }) => `  step ${name} (${effect}): ${takenText[taken]}`),
    ...emissions.map(({ topic, key, event }) => `  emits to ${topic}, key ${key}: ${JSON.stringify(event)}`),
    ...(emissions.length === 0 && outcome === 'done' ? ['  emits nothing'] : []),
    ...(failure === undefined ? [] : [`  fingerprint ${failure.fingerprint}`]),
  ]
  return terminalText(lines.join('\n'))
}

function outcomeText({ outcome, failure }: DryRunReport, ms: number): string {
  if (outcome === 'done') return `would be done (${ms} ms; nothing was kept)`
  if (outcome === 'stopped') return `stops at a step that a dry run does not execute (${ms} ms; nothing was kept)`
  const end = failure?.becomes === 'dead' ? 'would be a dead letter again' : 'would be tried again'
  return `fails: ${failure?.code ?? ''}: ${failure?.message ?? ''} (${end})`
}

const takenText = {
  ran: 'ran',
  journalled: 'is done already; its result was used',
  unknown: 'began before, and its end was not seen',
  'not-executed': 'would run now; not executed',
  failed: 'failed',
} as const

export function replayText({ run_id: run, kinds, outcome }: ReplayReport): string {
  const lines = kinds.flatMap(({ function: name, fingerprint, replayed, refused, left, stopped }) => [
    ...(name === '' ? [] : [`${name} ${fingerprint}: ${replayed} replayed, ${refused.length} refused, ${left} left`]),
    ...refused.map(({ dead_letter_id: id, message }) => `  ${id} refused: ${message}`),
    ...(stopped === undefined
      ? []
      : [`  stopped: ${stopText[stopped.reason]}${stopped.detail === '' ? '' : ` (${stopped.detail})`}`]),
  ])
  const { done, waiting, dead } = outcome
  return [...lines, `run ${run}: ${done} done, ${waiting} waiting in their lanes, ${dead} dead again`].join('\n')
}

const stopText = {
  fingerprint_returned: 'the old failure is back',
  canary_failed: 'the first event failed in another way',
  canary_undecided: 'the first event was not decided in time',
  cancelled: 'cancelled',
} as const
