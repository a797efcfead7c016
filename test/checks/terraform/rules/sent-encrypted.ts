import { nested, ofType } from '../plan.ts'
import type { Rule } from './rule.ts'

interface Parameter {
  readonly name: string
  readonly value: string
}

export const sentEncrypted: Rule = {
  name: 'nothing is sent in clear, and nobody connects without saying who they are',
  breaches: (plan) => [
    ...ofType(plan, 'aws_msk_cluster').flatMap(({ address, values }) => {
      const transit = nested(values, 'encryption_info', 'encryption_in_transit')
      const access = nested(values, 'client_authentication')
      return [
        ...(transit['client_broker'] === 'TLS' ? [] : [`${address} takes clients without TLS`]),
        ...(transit['in_cluster'] === true ? [] : [`${address} copies records without TLS`]),
        ...(access['unauthenticated'] === false ? [] : [`${address} takes clients that do not say who they are`]),
        ...(nested(access, 'sasl')['scram'] === true
          ? []
          : [`${address} has no SCRAM, which Knative's dispatchers need`]),
      ]
    }),
    ...ofType(plan, 'aws_elasticache_replication_group').flatMap(({ address, values }) => [
      ...(values['transit_encryption_enabled'] === true && values['transit_encryption_mode'] === 'required'
        ? []
        : [`${address} takes clients without TLS`]),
      ...(((values['user_group_ids'] ?? []) as readonly string[]).length > 0 ? [] : [`${address} has no users`]),
    ]),
    ...ofType(plan, 'aws_db_parameter_group').flatMap(({ address, values }) => {
      const parameters = (values['parameter'] ?? []) as readonly Parameter[]
      const forced = parameters.some(({ name, value }) => name === 'rds.force_ssl' && value === '1')
      return forced ? [] : [`${address} takes clients without TLS: rds.force_ssl is not 1`]
    }),
  ],
}
