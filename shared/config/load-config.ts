// Reads the options from an environment. An unknown SLUICE_* variable or a bad value ends the start with one line that
// names it: a typing mistake in an option must not silently run on the default.

import { SluiceError } from '../errors/index.ts'
import type { Option } from './option.ts'
import { options } from './options.ts'
import type { Hidden } from './secret.ts'

export type Config = { readonly [K in keyof typeof options]: (typeof options)[K] extends Option<infer T> ? T : never }

type Environment = Readonly<Record<string, string | undefined>>

/** @throws SluiceError `invalid_option`, naming the variable, the value and what is expected. */
export function loadConfig(environment: Environment = process.env): Config {
  refuseUnknown(environment)
  const entries = Object.entries(options as Record<string, Option<unknown>>).map(([name, option]) => [
    name,
    read(option, environment),
  ])
  return Object.freeze(Object.fromEntries(entries)) as Config
}

function read<T>(option: Option<T>, environment: Environment): T {
  const text = environment[option.variable]
  if (text === undefined || text === '') return option.fallback
  const parsed = option.parse(text)
  if (parsed.ok) return parsed.value
  const shown = option.shown === '–' ? '' : ` (default ${option.shown})`
  const value = option.secret === true ? '' : `=${text.slice(0, 80)}`
  throw new SluiceError('invalid_option', `${option.variable}${value}: expected ${parsed.expected}${shown}`)
}

function refuseUnknown(environment: Environment): void {
  const known = new Set(Object.values(options).map((option) => option.variable))
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith('SLUICE_') || known.has(variable)) continue
    throw new SluiceError('invalid_option', `${variable} is not an option of Sluice; 'npx sluice options' lists them`)
  }
}

export interface OptionRow {
  readonly name: string
  readonly variable: string
  readonly default: string
  readonly help: string
}

/** The table behind `sluice options`. */
export const describeOptions = (): readonly OptionRow[] =>
  Object.entries(options).map(([name, option]) => ({
    name,
    variable: option.variable,
    default: option.shown,
    help: option.help,
  }))

/** Values of the secret options, and the password within each that is a URL: what must not leave the process. */
export function secretsIn(config: Config): readonly string[] {
  const options: readonly unknown[] = Object.values(config)
  const values = options.filter(isHidden).map((handle) => String(handle.reveal()))
  return values.flatMap((value) => {
    const password = URL.parse(value)?.password ?? ''
    return password === '' ? [value] : [value, password, decodeURIComponent(password)]
  })
}

const isHidden = (value: unknown): value is Hidden<unknown> =>
  typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function'
