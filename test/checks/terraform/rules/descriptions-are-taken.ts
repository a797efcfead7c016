// EC2 takes few letters in descriptions of groups and their rules, and says so at the first apply only: no apostrophe, for one.

import { ofType, textOf } from '../plan.ts'
import type { Rule } from './rule.ts'

const taken = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/

export const descriptionsAreTaken: Rule = {
  name: 'descriptions of groups and rules are ones that EC2 takes',
  breaches: (plan) =>
    ofType(
      plan,
      'aws_security_group',
      'aws_vpc_security_group_ingress_rule',
      'aws_vpc_security_group_egress_rule',
    ).flatMap(({ address, values }) => {
      const text = textOf(values['description'])
      return taken.test(text) ? [] : [`${address}: EC2 does not take the description ${JSON.stringify(text)}`]
    }),
}
