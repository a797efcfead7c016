// What a person may say to `sluice dead-letters`, and what it means.

import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import type { DeadLetterFilter } from '../shared/delivery/index.ts'
import { SluiceError } from '../shared/errors/index.ts'
import { systemClock as clock } from '../shared/time/index.ts'

export type DeadLetterValues = ReturnType<typeof parseDeadLetterArgs>['values']

export function parseDeadLetterArgs(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      function: { type: 'string' },
      type: { type: 'string' },
      tenant: { type: 'string' },
      fingerprint: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      state: { type: 'string', default: 'dead' },
      limit: { type: 'string' },
      all: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      rate: { type: 'string', default: '10' },
      patience: { type: 'string', default: '60' },
      reason: { type: 'string' },
      json: { type: 'boolean', default: false },
      raw: { type: 'boolean', default: false },
    },
  })
}

export const operatorOf = ({ tenant, reason }: DeadLetterValues, otherwise: string) => ({
  by: `cli:${userInfo().username}`,
  reason: reason ?? otherwise,
  tenant,
})

/** @throws SluiceError `invalid_option` when nothing narrows it and --all does not say that everything is meant. */
export function meantBy(ids: readonly string[], values: DeadLetterValues): DeadLetterFilter {
  const filter = filterOf(values)
  if (ids.length > 0) return { ...filter, ids }
  if (!values.all && Object.values(filter).every((part) => part === undefined))
    throw new SluiceError('invalid_option', 'name ids or a filter, or say --all')
  return filter
}

export const filterOf = ({
  function: name,
  type,
  tenant,
  fingerprint,
  since,
  until,
}: DeadLetterValues): DeadLetterFilter => ({
  function: name,
  type,
  tenant,
  fingerprint,
  since: timeOf('since', since),
  until: timeOf('until', until),
})

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function timeOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const at = amount === undefined ? Date.parse(text) : clock.now() - Number(amount) * (unitMs[unit] ?? 0)
  if (Number.isNaN(at))
    throw new SluiceError('invalid_option', `--${name} ${text}: expected ISO 8601 or an age such as 2h`)
  return new Date(at).toISOString()
}

export function limitOf({ limit }: DeadLetterValues, otherwise: number): number {
  if (limit === undefined) return otherwise
  if (/^[1-9]\d{0,4}$/.test(limit)) return Number(limit)
  throw new SluiceError('invalid_option', `--limit ${limit}: expected a whole number from 1 to 99999`)
}

export function numberOf(name: string, text: string): number {
  const number = Number(text)
  if (number > 0 && number <= 86_400) return number
  throw new SluiceError('invalid_option', `--${name} ${text}: expected a number above 0`)
}
