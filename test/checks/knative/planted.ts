// The breaches of test/fixtures/knative: the first line of each says who catches it, `nobody` for the one that is valid.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Catcher = 'knvalidate' | 'schemas' | 'doctor' | 'nobody'

export interface Planted {
  readonly file: string
  readonly catchers: readonly Catcher[]
}

export const plantedIn = (root: string): readonly Planted[] =>
  globSync('test/fixtures/knative/*.yaml', { cwd: root })
    .toSorted()
    .map((name) => {
      const file = join(root, name)
      const [, names = ''] = /^# caught by: (.+)$/m.exec(readFileSync(file, 'utf8')) ?? []
      return { file, catchers: names.split(', ') as readonly Catcher[] }
    })
