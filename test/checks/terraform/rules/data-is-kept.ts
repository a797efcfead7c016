import { ofType, textOf, type Plan } from '../plan.ts'
import type { Rule } from './rule.ts'

export const dataIsKept: Rule = {
  name: 'production keeps its data: copies, backups, and no deletion by accident',
  breaches: (plan) => [...unkeptAnywhere(plan), ...(plan.environment === 'prod' ? unkeptInProduction(plan) : [])],
}

const unkeptAnywhere = (plan: Plan): readonly string[] => [
  ...ofType(plan, 'aws_db_instance')
    .filter(({ values }) => Number(values['backup_retention_period'] ?? 0) < 1)
    .map(({ address }) => `${address} has no backups`),
  ...ofType(plan, 'aws_msk_configuration').flatMap(({ address, values }) => {
    const properties = textOf(values['server_properties'])
    return [
      'auto.create.topics.enable=false',
      'default.replication.factor=3',
      'min.insync.replicas=2',
      'unclean.leader.election.enable=false',
    ]
      .filter((line) => !properties.split('\n').includes(line))
      .map((line) => `${address} does not say ${line}`)
  }),
  ...ofType(plan, 'aws_cloudwatch_log_group')
    .filter(({ values }) => Number(values['retention_in_days'] ?? 0) < 1)
    .map(({ address }) => `${address} keeps logs for ever`),
]

const unkeptInProduction = (plan: Plan): readonly string[] => [
  ...ofType(plan, 'aws_db_instance').flatMap(({ address, values }) => [
    ...(values['multi_az'] === true ? [] : [`${address} has no standby in another zone`]),
    ...(values['deletion_protection'] === true ? [] : [`${address} can be deleted`]),
    ...(values['skip_final_snapshot'] === false ? [] : [`${address} would leave no snapshot behind`]),
    ...(Number(values['backup_retention_period'] ?? 0) >= 7 ? [] : [`${address} keeps backups for less than a week`]),
  ]),
  ...ofType(plan, 'aws_elasticache_replication_group')
    .filter(({ values }) => values['multi_az_enabled'] !== true || values['automatic_failover_enabled'] !== true)
    .map(({ address }) => `${address} does not outlive a zone`),
  ...ofType(plan, 'aws_s3_bucket')
    .filter(({ values }) => values['force_destroy'] === true)
    .map(({ address }) => `${address} can be deleted with what is in it`),
  ...ofType(plan, 'aws_secretsmanager_secret')
    .filter(({ values }) => Number(values['recovery_window_in_days'] ?? 0) < 7)
    .map(({ address }) => `${address} is gone at once when deleted`),
]
