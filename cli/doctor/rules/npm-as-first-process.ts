// Who gets SIGTERM.

import { listAt } from '../manifest.ts'
import { fact, issue } from '../references.ts'
import type { Rule } from '../rule.ts'
import { containersOf, isService } from '../service.ts'

export const npmAsFirstProcess: Rule = {
  id: 'npm-as-first-process',
  summary:
    'npm, npx, yarn or a shell as the first process: SIGTERM does not reach the function, and its work is cut off.',
  references: [fact(21), issue('paketo-buildpacks/nodejs', 37), issue('nodeshift/faas-js-runtime', 327)],
  on: isService,
  *check(service) {
    for (const { path, value } of containersOf(service)) {
      const command = listAt(value, ['command'])
      const words = [...command, ...listAt(value, ['args'])].map(String)
      const [first = ''] = words
      const name = first.slice(first.lastIndexOf('/') + 1)
      const isShell = /^(?:ba|da|a)?sh$/.test(name)
      const replacesItself = isShell && words.some((word) => /\bexec /.test(word))
      if (!/^(?:npm|npx|yarn|pnpm)$/.test(name) && (!isShell || replacesItself)) continue
      yield {
        level: 'warning',
        path: [...path, command.length > 0 ? 'command' : 'args'],
        message: `${words.join(' ')}: ${name} is process 1 and does not pass SIGTERM on; after timeoutSeconds everything is killed`,
        remedy: isShell ? 'exec in front of the last command' : 'node and the file itself',
      }
    }
  },
}
