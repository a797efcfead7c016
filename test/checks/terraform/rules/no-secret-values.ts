// Values of secrets pass Terraform write-only or not at all, so that no plan, state or output has one.

import type { Rule } from './rule.ts'

const holders = /^(secret_string|secret_binary|auth_token|password|passwords|master_password)$/

export const noSecretValues: Rule = {
  name: 'no value of a secret is in plan or state',
  breaches: ({ resources }) =>
    resources.flatMap(({ address, values }) =>
      found(values, '').map((path) => `${address} has a value in ${path}: give it write-only (…_wo)`),
    ),
}

function found(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((inner) => found(inner, path))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = path === '' ? name : `${path}.${name}`
    const isHeld = holders.test(name) && inner !== null && inner !== '' && !(Array.isArray(inner) && inner.length === 0)
    return isHeld ? [here] : found(inner, here)
  })
}
