// What a message asks for, clause by clause, in terms of the tools on offer. A tool that would be needed and is not
// offered becomes a remark, so that the person learns why there is no answer.

import type { OfferedTool } from '../chat-request.ts'
import { findExpression } from './arithmetic.ts'
import { asksForTime, findZones, unknownPlace } from './places.ts'

export interface Wanted {
  readonly tool: string
  readonly args: Readonly<Record<string, string>>
}

export interface Understanding {
  readonly calls: readonly Wanted[]
  /** Sentences for the person about what cannot be done. */
  readonly remarks: readonly string[]
}

/** Calls at once, like the limits of real models. */
const mostCalls = 8

export function understand(message: string, tools: readonly OfferedTool[]): Understanding {
  const calls: Wanted[] = []
  const remarks: string[] = []
  const want = (tool: string, purpose: string, args: Readonly<Record<string, string>>): void => {
    const offered = tools.find(({ name }) => name === tool)
    if (offered === undefined)
      return void remarks.push(`I would need the tool ${tool} to ${purpose}, and it is not offered to me here.`)
    const named = Object.fromEntries(Object.entries(args).map(([key, value]) => [parameterName(offered, key), value]))
    if (!calls.some((call) => call.tool === tool && JSON.stringify(call.args) === JSON.stringify(named)))
      calls.push({ tool, args: named })
  }
  for (const clause of clausesOf(message)) {
    const echoed = echoText(clause)
    if (echoed !== undefined) {
      want('echo', 'echo something', { text: echoed })
      continue
    }
    const urls = findUrls(clause)
    for (const url of urls) want('http_fetch', 'fetch a page', { url })
    if (urls.length > 0) continue
    if (asksForTime(clause)) {
      const zones = findZones(clause)
      const unknown = zones.length === 0 ? unknownPlace(clause) : undefined
      if (unknown !== undefined)
        remarks.push(
          `I do not know the time zone of ${unknown}; a larger city nearby or an IANA name such as America/Lima would help.`,
        )
      else if (zones.length === 0) want('timestamp', 'tell the time', {})
      for (const zone of zones) want('timestamp', 'tell the time', { timezone: zone })
      continue
    }
    const expression = findExpression(clause)
    if (expression !== undefined) want('calculate', 'calculate', { expression })
  }
  return { calls: calls.slice(0, mostCalls), remarks: [...new Set(remarks)] }
}

/** `What is 17*23, and what time is it in Lima?` has two. An "and" parts clauses only where the next one asks or orders. */
function clausesOf(message: string): readonly string[] {
  const next =
    "(?=(?:please )?(?:what|what's|whats|tell|fetch|get|open|read|load|echo|say|repeat|calculate|compute|evaluate|how much|which|when|who|where|the time|the date|current time)\\b)"
  const border = new RegExp(
    `(?<=[?!;])\\s+|(?<=\\.)\\s+(?=[A-Z])|\\n+|,?\\s(?:and|then|also|and then|and also)\\s${next}|,\\s${next}`,
    'iu',
  )
  return message
    .split(border)
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '')
}

function echoText(clause: string): string | undefined {
  const match =
    /^(?:please |can you |could you |would you )*(?:echo|say|repeat(?: after me)?)(?:\s*:\s*|\s+)(\S[\s\S]*)$/i.exec(
      clause,
    )
  return match?.[1]?.trim().replace(/^(["'“‘«])([\s\S]*)["'”’»]$/u, '$2')
}

/** http and https wherever they stand; other schemes and bare hosts when the person wants something fetched. */
function findUrls(clause: string): readonly string[] {
  const wants = /\b(?:fetch|get|open|read|load|download|visit|look at|check)\b/i.test(clause)
  const words = clause.split(/\s+/).map((word) => word.replace(/^[<("'“‘]+/u, '').replace(/[>)"'”’.,;:!?]+$/u, ''))
  return words.flatMap((word) => {
    if (/^https?:\/\/./i.test(word)) return [word]
    if (wants && /^[a-z][a-z0-9+.-]*:\S/i.test(word) && !/^[\w.-]+:\d+$/.test(word)) return [word]
    return wants && /^(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?(?:\/\S*)?$/i.test(word) ? [`https://${word}`] : []
  })
}

/** Tools name their arguments as they like; the kind of argument is recognised by its name. */
function parameterName({ parameters }: OfferedTool, wanted: string): string {
  if (parameters.length === 0 || parameters.includes(wanted)) return wanted
  const alike =
    wanted === 'timezone'
      ? parameters.find((name) => /zone|tz/i.test(name))
      : parameters.length === 1
        ? parameters[0]
        : undefined
  return alike ?? wanted
}
