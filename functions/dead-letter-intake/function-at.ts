// Which function is at an address: the address book of the lane driver, read backwards.

import type { Config } from '../../shared/config/index.ts'

/** Undefined when no function is known there. */
export type FunctionAt = (address: string) => string | undefined

export function functionsAt({
  functionUrls,
  functionUrlTemplate,
}: Pick<Config, 'functionUrls' | 'functionUrlTemplate'>): FunctionAt {
  const named = new Map([...functionUrls].map(([name, url]) => [originOf(url), name]))
  const pattern = patternOf(functionUrlTemplate)
  return (address) => {
    const origin = originOf(address)
    return origin === undefined ? undefined : (named.get(origin) ?? pattern.exec(origin)?.[1])
  }
}

/** Without a path, in one spelling. */
function originOf(url: string): string | undefined {
  const parsed = URL.parse(url)
  return parsed === null ? undefined : parsed.origin
}

const patternOf = (template: string): RegExp =>
  new RegExp(`^${originPattern(template)}$`.replace('FUNCTION', '([a-z][a-z0-9-]*)'))

const originPattern = (template: string): string =>
  template
    .replace('{function}', 'FUNCTION')
    .replace(/^(https?:\/\/[^/]*).*$/, '$1')
    .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
