// Tells the person what the tools of this turn returned, a sentence each. A failure is told as what it is.

import { STATUS_CODES } from 'node:http'
import { presentTurn, type ChatMessage, type ChatToolCall } from '../chat-request.ts'

export function reportResults(messages: readonly ChatMessage[]): string {
  const turn = presentTurn(messages)
  const results = new Map(
    turn.flatMap((message) => (message.role === 'tool' ? [[message.toolCallId, message.content] as const] : [])),
  )
  const calls = turn.flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []))
  return calls.map((call) => sentence(call, results.get(call.id) ?? '')).join(' ')
}

type Json = Readonly<Record<string, unknown>>

function sentence(call: ChatToolCall, content: string): string {
  const json = parsed(content)
  const args = objectOf(parsed(call.arguments))
  const failure = failureOf(json)
  if (failure !== undefined) return `I could not ${purposeOf(call.name, args)}: ${failure}`
  const outcome = objectOf(json)
  const result = outcome['status'] === 'succeeded' && 'result' in outcome ? outcome['result'] : (json ?? content)
  switch (call.name) {
    case 'calculate':
      return `${textOf(args['expression'])} is ${valueOf(result, ['value', 'result', 'answer'])}.`
    case 'timestamp':
      return timeSentence(result)
    case 'echo':
      return typeof result === 'object' ? valueOf(result, ['text', 'value', 'result']) : content
    case 'http_fetch':
      return pageSentence(textOf(args['url']), objectOf(result))
    default:
      return `${call.name} returned ${shortened(typeof result === 'string' ? result : JSON.stringify(result), 300)}.`
  }
}

const reasons: Readonly<Record<string, string>> = {
  timed_out: 'it took too long',
  blocked: 'it is not allowed',
  circuit_open: 'the tool is out of order for the moment',
  cancelled: 'it was cancelled',
  unknown: 'nobody knows whether it was done',
}

/** The tool's own result may have a member `status` of another kind, such as 200. */
function failureOf(json: unknown): string | undefined {
  const { status, error } = objectOf(json)
  const failed = typeof status === 'string' && (status === 'failed' || Object.hasOwn(reasons, status))
  if (!failed && !(error !== undefined && error !== null && status === undefined)) return undefined
  const { message, code } = objectOf(error)
  const why = firstText(message, error, reasons[textOf(status)], 'the tool failed')
  const ending = /[.!?]$/.test(why) ? why.slice(0, -1) : why
  return textOf(code) === '' ? `${ending}.` : `${ending} (${textOf(code)}).`
}

function purposeOf(tool: string, args: Json): string {
  switch (tool) {
    case 'calculate':
      return `calculate ${textOf(args['expression'])}`
    case 'timestamp':
      return 'tell the time'
    case 'echo':
      return 'echo that'
    case 'http_fetch':
      return `fetch ${textOf(args['url'])}`
    default:
      return `use ${tool}`
  }
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

function timeSentence(result: unknown): string {
  const found = objectOf(result)
  const texts = [found['local'], ...Object.values(found), result].filter((value) => typeof value === 'string')
  const [, year, month, day, clock] =
    /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2})/.exec(
      texts.find((text) => /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) ?? '',
    ) ?? []
  const zone = texts.find((text) => /^(?:[A-Z][a-z]+\/[\w/-]+|UTC)$/.test(text)) ?? 'UTC'
  const where = zone === 'UTC' ? 'In UTC' : `In ${(zone.split('/').at(-1) ?? zone).replaceAll('_', ' ')}`
  if (year === undefined || month === undefined || day === undefined || clock === undefined)
    return `The time is ${shortened(typeof result === 'string' ? result : JSON.stringify(result), 200)}.`
  const weekday = days[new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDay()] ?? ''
  return `${where} it is ${clock} on ${weekday}, ${Number(day)} ${months[Number(month) - 1] ?? month} ${year}.`
}

function pageSentence(url: string, page: Json): string {
  const status = typeof page['status'] === 'number' ? page['status'] : undefined
  const said = status === undefined ? 'answered' : `answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd()
  const body = firstText(page['text'], page['body'], page['content'])
  return body === ''
    ? `${url} ${said} with an empty page.`
    : `${url} ${said}: “${shortened(body.replaceAll(/\s+/g, ' ').trim(), 200)}”`
}

function valueOf(result: unknown, keys: readonly string[]): string {
  const object = objectOf(result)
  const key = keys.find((candidate) => object[candidate] !== undefined)
  const value = key === undefined ? result : object[key]
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const firstText = (...values: readonly unknown[]): string => values.map(textOf).find((text) => text !== '') ?? ''
const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`
