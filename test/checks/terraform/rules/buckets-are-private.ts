import { ofType, textOf, type Plan } from '../plan.ts'
import type { Rule } from './rule.ts'

/** Each is a resource of its own that refers to the bucket. */
const companions = {
  aws_s3_bucket_server_side_encryption_configuration: 'encryption',
  aws_s3_bucket_versioning: 'versions',
  aws_s3_bucket_public_access_block: 'a block of public access',
  aws_s3_bucket_lifecycle_configuration: 'a lifecycle',
  aws_s3_bucket_policy: 'a policy that refuses clear text',
}

export const bucketsArePrivate: Rule = {
  name: 'buckets are private, encrypted, versioned, and refuse clear text',
  breaches: (plan) => [...withoutCompanions(plan), ...openBlocks(plan), ...clearText(plan), ...unversioned(plan)],
}

function withoutCompanions({ configured }: Plan): readonly string[] {
  const buckets = configured.filter(({ type }) => type === 'aws_s3_bucket')
  return buckets.flatMap(({ address }) => {
    const folder = address.replace(/[^.]+\.[^.]+$/, '')
    return Object.entries(companions)
      .filter(([companion]) => {
        const own = configured.filter(({ type, address: other }) => type === companion && other.startsWith(folder))
        return !own.some(({ references }) =>
          Object.values(references)
            .flat()
            .some((one) => one.startsWith(address.slice(folder.length))),
        )
      })
      .map(([, what]) => `${address} has no ${what.replace(/^an? /, '')}`)
  })
}

const blocks = ['block_public_acls', 'block_public_policy', 'ignore_public_acls', 'restrict_public_buckets']

const openBlocks = (plan: Plan): readonly string[] =>
  ofType(plan, 'aws_s3_bucket_public_access_block').flatMap(({ address, values }) =>
    blocks.filter((name) => values[name] !== true).map((name) => `${address}: ${name} is not true`),
  )

const unversioned = (plan: Plan): readonly string[] =>
  ofType(plan, 'aws_s3_bucket_versioning')
    .filter(({ values }) => !JSON.stringify(values['versioning_configuration'] ?? '').includes('"Enabled"'))
    .map(({ address }) => `${address} keeps no versions`)

const clearText = (plan: Plan): readonly string[] =>
  ofType(plan, 'aws_s3_bucket_policy')
    .filter(({ values }) => !/"Effect":\s*"Deny".*"aws:SecureTransport"/s.test(textOf(values['policy'])))
    .map(({ address }) => `${address} does not refuse requests without TLS`)
