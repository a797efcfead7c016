// Where the running platform is, for commands that talk to it.

import { readPlatformState, type PlatformState } from '../local/platform/index.ts'
import { SluiceError } from '../shared/errors/index.ts'
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

const noPlatform = (): SluiceError =>
  new SluiceError('not_found', 'no platform here: run npm start in another terminal')
