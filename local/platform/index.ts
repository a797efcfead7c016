export { erasePostgres } from './database-server.ts'
export { installedFunctions } from './installed-functions.ts'
export { startPlatform, type Platform, type PlatformDeps, type PlatformOptions, type PlatformStep } from './platform.ts'
export { dashed, kafkaSourcesOf, pingSourcesOf } from './sources.ts'
export {
  claimPlatform,
  readPlatformState,
  releasePlatform,
  updatePlatformState,
  type PlatformState,
} from './state-file.ts'
