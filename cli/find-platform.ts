// Where the running platform is, for commands that talk to it.

import { readPlatformState, type PlatformState } from '../local/platform/index.ts'
import { loadConfig } from '../shared/config/index.ts'
import { functionUrlsOf } from '../shared/delivery/index.ts'
import { SluiceError } from '../shared/errors/index.ts'
import { environment } from './environment.ts'
import { statePath } from './project.ts'

/** @throws SluiceError `not_found` when none runs here. */
export function runningPlatform(): PlatformState {
  const state = readPlatformState(statePath())
  if (state === undefined) throw noPlatform()
  return state
}

/** The gateway's address: what the user gave, else that of the running platform. @throws SluiceError `not_found` */
export function gatewayAddress(given: string | undefined): string {
  if (given !== undefined) return given.replace(/\/+$/, '')
  const { gateway } = runningPlatform()
  if (gateway === undefined) throw new SluiceError('not_found', 'the platform is still starting; try again in a moment')
  return gateway
}

/** Where a function takes requests: of the running platform, else as SLUICE_FUNCTION_URLS and its template say. */
export function functionAddress(name: string): string {
  const running = readPlatformState(statePath())?.functions?.[name]
  return (running ?? functionUrlsOf(loadConfig(environment))(name)).replace(/\/+$/, '')
}

const noPlatform = (): SluiceError =>
  new SluiceError('not_found', 'no platform here: run npm start in another terminal')
