// What an option is: one declaration gives the variable, the default, the check and the help. A parser turns the text of a
// variable into a value or says what is wrong with it.

import { secret, type Secret } from './secret.ts'

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string }

export interface Option<T> {
  /** The environment variable. */
  readonly variable: string
  /** What is used when the variable is unset or empty. */
  readonly fallback: T
  /** Purpose, unit, and what a change costs. One line. */
  readonly help: string
  readonly parse: (text: string) => Parsed<T>
  /** How the default reads in `sluice options`. */
  readonly shown: string
  /** The value must not be printed, not even when it is refused. */
  readonly secret?: true
}

interface Declaration<T> {
  readonly variable: string
  readonly fallback: T
  readonly help: string
}

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value })
const expected = (text: string): { readonly ok: false; readonly expected: string } => ({ ok: false, expected: text })

export const textOption = (declaration: Declaration<string>): Option<string> => ({
  ...declaration,
  parse: (text) => ok(text),
  shown: declaration.fallback === '' ? '–' : declaration.fallback,
})

/** A value that must not be printed, such as a key or a URL with a password. `undefined` when unset. */
export const secretOption = (
  declaration: Omit<Declaration<never>, 'fallback'>,
): Option<Secret<string> | undefined> => ({
  ...declaration,
  fallback: undefined,
  secret: true,
  parse: (text) => ok(secret(text)),
  shown: '–',
})

/** A URL that may hold a password and begins with one of `schemes`, such as `redis://`. `undefined` when unset. */
export const secretUrlOption = (
  declaration: Omit<Declaration<never>, 'fallback'> & { readonly schemes: readonly string[] },
): Option<Secret<string> | undefined> => ({
  ...secretOption(declaration),
  parse: (text) => {
    const { schemes } = declaration
    const fits = schemes.some((scheme) => text.startsWith(scheme)) && URL.canParse(text)
    return fits ? ok(secret(text)) : expected(`a URL that begins with ${schemes.join(' or ')}`)
  },
})

export const integerOption = (
  declaration: Declaration<number> & { readonly min: number; readonly max: number },
): Option<number> => ({
  ...declaration,
  parse: (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    const { min, max } = declaration
    return value >= min && value <= max ? ok(value) : expected(`a whole number from ${min} to ${max}`)
  },
  shown: String(declaration.fallback),
})

/** A part of a whole, 0 to 1. */
export const ratioOption = (declaration: Declaration<number>): Option<number> => ({
  ...declaration,
  parse: (text) => {
    const value = /^\d(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN
    return value >= 0 && value <= 1 ? ok(value) : expected('a number from 0 to 1')
  },
  shown: String(declaration.fallback),
})

export const booleanOption = (declaration: Declaration<boolean>): Option<boolean> => ({
  ...declaration,
  parse: (text) => (text === 'true' ? ok(true) : text === 'false' ? ok(false) : expected('true or false')),
  shown: String(declaration.fallback),
})

export const choiceOption = <const T extends string>(
  declaration: Declaration<NoInfer<T>> & { readonly choices: readonly T[] },
): Option<T> => ({
  ...declaration,
  parse: (text) => {
    const choice = declaration.choices.find((candidate) => candidate === text)
    return choice === undefined ? expected(`one of ${declaration.choices.join(', ')}`) : ok(choice)
  },
  shown: declaration.fallback,
})

/** Comma-separated texts. */
export const listOption = (declaration: Declaration<readonly string[]>): Option<readonly string[]> => ({
  ...declaration,
  parse: (text) =>
    ok(
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    ),
  shown: declaration.fallback.length === 0 ? '–' : declaration.fallback.join(','),
})

/** Comma-separated `host:port` pairs. */
export const addressesOption = (declaration: Declaration<readonly string[]>): Option<readonly string[]> => {
  const list = listOption(declaration)
  return {
    ...list,
    parse: (text) => {
      const parsed = list.parse(text)
      return !parsed.ok || parsed.value.every(isAddress) ? parsed : expected('host:port pairs, separated by commas')
    },
  }
}

function isAddress(text: string): boolean {
  const url = URL.parse(`tcp://${text}`)
  return url !== null && url.host === text && url.port !== ''
}

/** Comma-separated `name=value` pairs. */
export const mapOption = (
  declaration: Declaration<ReadonlyMap<string, string>>,
): Option<ReadonlyMap<string, string>> => ({
  ...declaration,
  parse: (text) => {
    const pairs = text.split(',').filter((part) => part.trim() !== '')
    const entries = pairs.map((pair): [string, string] => {
      const at = pair.indexOf('=')
      return at < 1 ? ['', pair] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
    })
    return entries.some(([name]) => name === '')
      ? expected('name=value pairs, separated by commas')
      : ok(new Map(entries))
  },
  shown: '–',
})

/** An absolute http or https URL, or empty. The value has no trailing slash. */
export const urlOption = (declaration: Declaration<string>): Option<string> => ({
  ...declaration,
  parse: (text) => {
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol)) return expected('an absolute http or https URL')
    return ok(text.replace(/\/+$/, ''))
  },
  shown: declaration.fallback === '' ? '–' : declaration.fallback,
})
