// What kn makes of a file.

import { client } from '../references.ts'
import type { Rule } from '../rule.ts'
import { isService } from '../service.ts'

export const knFirstDocument: Rule = {
  id: 'kn-first-document',
  summary: 'kn service apply -f reads only the first document of a file, and says nothing of the others.',
  references: [client('pkg/commands/service/apply.go')],
  on: isService,
  *check(service, all) {
    const others = all.filter(({ file }) => file === service.file).length - 1
    if (service.document > 0 || others === 0 || service.file.startsWith('<')) return
    yield {
      level: 'note',
      path: [],
      message: `kn service apply -f of this file applies this Service alone, in the namespace of -n or the context, and leaves ${others} object${others === 1 ? '' : 's'} out`,
      remedy: 'kubectl apply -f, or a file for each Service',
    }
  },
}
