// Where things of this project are.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectRoot = fileURLToPath(new URL('../', import.meta.url))

/** Data, logs and state of the platform on this machine. Git-ignored. */
export const projectHome = join(projectRoot, '.sluice')

export const statePath = join(projectHome, 'platform.json')
