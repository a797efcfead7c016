import { ofType } from '../plan.ts'
import type { Rule } from './rule.ts'

const isOpen = (range: unknown): boolean => range === '0.0.0.0/0' || range === '::/0'

interface InlineRule {
  readonly cidr_blocks?: readonly string[] | null
  readonly ipv6_cidr_blocks?: readonly string[] | null
}

export const networksAreClosed: Rule = {
  name: 'nothing can be reached from the internet',
  breaches: (plan) => [
    ...ofType(plan, 'aws_vpc_security_group_ingress_rule')
      .filter(({ values }) => isOpen(values['cidr_ipv4']) || isOpen(values['cidr_ipv6']))
      .map(({ address }) => `${address} lets the whole internet in`),
    ...ofType(plan, 'aws_security_group').flatMap(({ address, values }) => {
      const rules = (values['ingress'] ?? []) as readonly InlineRule[]
      const open = rules.some((rule) => [...(rule.cidr_blocks ?? []), ...(rule.ipv6_cidr_blocks ?? [])].some(isOpen))
      return open ? [`${address} lets the whole internet in`] : []
    }),
    ...ofType(plan, 'aws_db_instance')
      .filter(({ values }) => values['publicly_accessible'] !== false)
      .map(({ address }) => `${address} has a public address`),
    ...ofType(plan, 'aws_subnet')
      .filter(({ values }) => values['map_public_ip_on_launch'] === true)
      .map(({ address }) => `${address} gives public addresses`),
  ],
}
