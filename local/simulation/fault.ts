// What may go wrong in a simulation, as written on the command line: NAME[=VALUE][@FROM[..TO]]. Without a time it lasts.

import { SluiceError } from '../../shared/errors/index.ts'
import type { Clock } from '../../shared/time/index.ts'

/** Milliseconds from the first event. */
export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

export type Fault =
  /** The function answers this to every request; from 500 its lanes rest, too. */
  | { readonly kind: 'status'; readonly status: number; readonly window: Window }
  /** Every answer takes this much longer. */
  | { readonly kind: 'slow'; readonly ms: number; readonly window: Window }
  /** A share of the runs fails and is tried again. */
  | { readonly kind: 'fail'; readonly share: number; readonly window: Window }
  /** Every run of events with this key or id fails. */
  | { readonly kind: 'poison'; readonly value: string; readonly window: Window }
  /** A share of the answers is lost after the commit. */
  | { readonly kind: 'lost-answer'; readonly share: number; readonly window: Window }
  /** The function's process dies at the beginning and is back at the end. */
  | { readonly kind: 'kill'; readonly window: Window }
  /** The dispatcher's process dies at the beginning, by SIGKILL or SIGTERM, and is back at the end. */
  | { readonly kind: 'source-kill' | 'source-term'; readonly window: Window }

export const faultForms = [
  '503@10s..40s       the function answers 503 (any status)',
  'slow=2s            every answer takes 2 s longer',
  'fail=0.2           this share of the runs fails and is tried again',
  'poison=KEY         every run of events with this key or id fails',
  'lost-answer=0.1    this share of the answers is lost after the commit',
  'kill@15s..20s      the process of the function is killed, and back at the end (3 s later by default)',
  'source-kill@30s    the dispatcher is killed, and back 10 s later; source-term ends it by SIGTERM',
] as const

const form = /^(?<name>[a-z-]+|\d{3})(?:=(?<value>[^@]+))?(?:@(?<from>[^.]+(?:\.\d+\w+)?)(?:\.\.(?<to>.+))?)?$/
const alwaysMs = Number.POSITIVE_INFINITY
const awayMs = { kill: 3_000, 'source-kill': 10_000, 'source-term': 10_000 }

/** @throws SluiceError `invalid_option` */
export function parseFault(text: string): Fault {
  const { name = '', value = '', from, to } = form.exec(text)?.groups ?? {}
  const begin = from === undefined ? 0 : millisecondsOf(from, text)
  const window = (defaultLength: number): Window => {
    const end = to === undefined ? begin + (from === undefined ? alwaysMs : defaultLength) : millisecondsOf(to, text)
    if (end <= begin) throw wrong(text, 'its end must come after its beginning')
    return { fromMs: begin, toMs: end }
  }
  if (/^[1-5]\d\d$/.test(name) && value === '')
    return { kind: 'status', status: Number(name), window: window(alwaysMs) }
  if (name === 'slow' && value !== '') return { kind: name, ms: millisecondsOf(value, text), window: window(alwaysMs) }
  if (name === 'fail' || name === 'lost-answer')
    return { kind: name, share: shareOf(value, text), window: window(alwaysMs) }
  if (name === 'poison' && value !== '') return { kind: name, value, window: window(alwaysMs) }
  if ((name === 'kill' || name === 'source-kill' || name === 'source-term') && value === '' && from !== undefined)
    return { kind: name, window: window(awayMs[name]) }
  throw wrong(text, `expected one of\n  ${faultForms.join('\n  ')}`)
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `250ms`, `2s`, `1.5m`, `1h`. */
export function millisecondsOf(text: string, within: string = text): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const factor = units[unit]
  if (factor === undefined) throw wrong(within, `${text} is no time such as 250ms, 2s, 1.5m or 1h`)
  return Number(amount) * factor
}

function shareOf(value: string, within: string): number {
  const share = Number(value)
  if (value === '' || !(share >= 0 && share <= 1)) throw wrong(within, 'expected a share from 0 to 1')
  return share
}

const wrong = (text: string, why: string): SluiceError => new SluiceError('invalid_option', `--fault ${text}: ${why}`)

export interface ActiveFaults {
  /** Of one kind, now. */
  active<K extends Fault['kind']>(kind: K): readonly Extract<Fault, { readonly kind: K }>[]
}

/** Their times count from now. */
export function createActiveFaults(faults: readonly Fault[], clock: Clock): ActiveFaults {
  const startMs = clock.now()
  return {
    active: <K extends Fault['kind']>(kind: K) => {
      const atMs = clock.now() - startMs
      return faults.filter(
        (fault): fault is Extract<Fault, { readonly kind: K }> =>
          fault.kind === kind && atMs >= fault.window.fromMs && atMs < fault.window.toMs,
      )
    },
  }
}
