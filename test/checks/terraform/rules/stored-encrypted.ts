import { nested, ofType, type Plan, type Resource } from '../plan.ts'
import type { Rule } from './rule.ts'

export const storedEncrypted: Rule = {
  name: 'what is stored is encrypted with a key of this account',
  breaches: (plan) => [
    ...unless(
      plan,
      'aws_db_instance',
      ({ values }) => values['storage_encrypted'] === true && hasKey(values['kms_key_id']),
    ),
    ...unless(
      plan,
      'aws_elasticache_replication_group',
      ({ values }) => String(values['at_rest_encryption_enabled']) === 'true' && hasKey(values['kms_key_id']),
    ),
    ...unless(plan, 'aws_msk_cluster', ({ values }) =>
      hasKey(nested(values, 'encryption_info')['encryption_at_rest_kms_key_arn']),
    ),
    ...unless(plan, 'aws_secretsmanager_secret', ({ values }) => hasKey(values['kms_key_id'])),
    ...unless(plan, 'aws_s3_bucket_server_side_encryption_configuration', ({ values }) =>
      hasKey(nested(values, 'rule', 'apply_server_side_encryption_by_default')['kms_master_key_id']),
    ),
  ],
}

const hasKey = (value: unknown): boolean => typeof value === 'string' && value !== ''

function unless(plan: Plan, type: string, holds: (resource: Resource) => boolean): readonly string[] {
  return ofType(plan, type)
    .filter((resource) => !holds(resource))
    .map(({ address }) => `${address} stores in clear, or with a key of AWS`)
}
