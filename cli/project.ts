// Where things of this project are.

import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../shared/config/index.ts'
import { environment } from './environment.ts'

export const projectRoot: string = fileURLToPath(new URL('../', import.meta.url))

/** Data, logs and state of the platform on this machine. Git-ignored. */
export const projectHome = (): string => resolve(projectRoot, loadConfig(environment).home)

export const statePath = (): string => join(projectHome(), 'platform.json')
