// What a scripted answer consists of, and what the captures call it.

import type { ScriptedAnswer } from './capture.ts'

export type Script = Exclude<ScriptedAnswer, number>

export const scriptOf = (answer: ScriptedAnswer): Script => (typeof answer === 'number' ? { status: answer } : answer)

/** As in `answer` of a captured step. */
export function labelOf(answer: ScriptedAnswer): number | string {
  const { status = 200, delayMs, close, reset, informational, then = 200, stall, drip } = scriptOf(answer)
  if (close !== undefined) return `close ${close}`
  if (reset !== undefined) return `reset ${reset}`
  if (stall !== undefined) return `stall ${stall.status}`
  if (drip !== undefined) return `drip ${drip.status ?? 200}`
  if (informational !== undefined) return `${informational}, then ${then}`
  return delayMs === undefined ? status : `${status} after ${delayMs} ms`
}

/** The other way, for captures that give only what was answered. */
export function answerOf(label: number | string): ScriptedAnswer {
  if (typeof label === 'number') return label
  const [kind = '', ...rest] = label.split(' ')
  if (kind === 'close' || kind === 'reset') return { [kind]: rest.join(' ') }
  if (kind === 'stall') return { stall: { status: Number(rest[0]) } }
  const [, status, delayMs] = /^(\d+) after (\d+) ms$/.exec(label) ?? []
  return { status: Number(status ?? 200), delayMs: Number(delayMs ?? 0) }
}

/** The last answer repeats. */
export const repeating = (answers: readonly ScriptedAnswer[], attempt: number): ScriptedAnswer =>
  answers[Math.min(attempt, answers.length) - 1] ?? 200

export const headersOf = ({ headers = {} }: Script): readonly (readonly [string, string])[] =>
  Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one): readonly [string, string] => [name, one]),
  )

export function bodyOf({ body = '', bodyHex }: Script): Buffer {
  if (bodyHex !== undefined) return Buffer.from(bodyHex, 'hex')
  const [, text = '', times = '1'] = /^(.) × (\d+)$/.exec(body) ?? [body, body]
  return Buffer.from(text.repeat(Number(times)))
}
