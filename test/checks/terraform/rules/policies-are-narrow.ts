// Policies of identities. Those of keys and buckets speak of their own resource, and "*" means that resource there.

import { ofType } from '../plan.ts'
import type { Rule } from './rule.ts'

interface Statement {
  readonly Sid?: string
  readonly Effect?: string
  readonly Action?: string | readonly string[]
  readonly Resource?: string | readonly string[]
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

export const policiesAreNarrow: Rule = {
  name: 'policies are JSON and give no wildcards',
  breaches: (plan) =>
    ofType(
      plan,
      'aws_iam_policy',
      'aws_iam_role_policy',
      'aws_iam_role',
      'aws_s3_bucket_policy',
      'aws_secretsmanager_secret_policy',
      'aws_kms_key',
    ).flatMap(({ address, type, values }) => {
      const text = type === 'aws_iam_role' ? values['assume_role_policy'] : values['policy']
      if (typeof text !== 'string') return [] // not known before apply
      const statements = statementsIn(text)
      if (statements === undefined) return [`${address}: the policy is not JSON`]
      if (statements.length === 0) return [`${address}: the policy says nothing`]
      return type === 'aws_iam_policy' || type === 'aws_iam_role_policy'
        ? statements.flatMap((statement) => wildcards(address, statement))
        : []
    }),
}

function statementsIn(text: string): readonly Statement[] | undefined {
  try {
    const { Statement: found } = JSON.parse(text) as { readonly Statement?: Statement | readonly Statement[] }
    return found === undefined ? [] : Array.isArray(found) ? (found as readonly Statement[]) : [found as Statement]
  } catch {
    return undefined
  }
}

function wildcards(
  address: string,
  { Sid: sid = 'a statement', Effect: effect, Action: action, Resource: resource }: Statement,
): readonly string[] {
  if (effect !== 'Allow') return []
  return [
    ...listOf(action)
      .filter((one) => one === '*' || one.endsWith(':*'))
      .map((one) => `${address}: ${sid} allows ${one}`),
    ...listOf(resource)
      .filter((one) => one === '*')
      .map(() => `${address}: ${sid} is about every resource`),
  ]
}
