export { startPlatform, type TestPlatform, type TestPlatformOptions, type TestProcess, type Turn } from './platform.ts'
export type { Watch } from './watch.ts'
export { createCli, descendants, type Cli, type Finished } from './cli.ts'
