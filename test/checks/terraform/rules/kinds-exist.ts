// Words that the real provider checks in code, and only where nothing beside them is unknown.

import { ofType } from '../plan.ts'
import type { Rule } from './rule.ts'

const storageTypes = new Set(['gp3', 'io1', 'io2'])
const instanceClass = /^(db|cache|kafka)\.[a-z]+[0-9]+[a-z]*\.(micro|small|medium|large|[0-9]*xlarge)$/

export const kindsExist: Rule = {
  name: 'classes and kinds of storage exist',
  breaches: (plan) => [
    ...ofType(plan, 'aws_db_instance')
      .filter(({ values }) => !storageTypes.has(String(values['storage_type'])))
      .map(({ address, values }) => `${address}: there is no storage ${String(values['storage_type'])}`),
    ...ofType(plan, 'aws_db_instance', 'aws_elasticache_replication_group')
      .map(({ address, values }) => ({ address, found: String(values['instance_class'] ?? values['node_type']) }))
      .filter(({ found }) => !instanceClass.test(found))
      .map(({ address, found }) => `${address}: there is no class ${found}`),
  ],
}
