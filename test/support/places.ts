// Where tests keep what outlives a run: initialised templates, downloaded servers. Git-ignored.

import { fileURLToPath } from 'node:url'

export const projectRoot: string = fileURLToPath(new URL('../../', import.meta.url))

export const projectCache: string = fileURLToPath(new URL('../../.cache/', import.meta.url))
