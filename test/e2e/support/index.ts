export { createCli, descendants } from './cli.ts'
export { startPlatform, type TestPlatform, type TestPlatformOptions, type Turn } from './platform.ts'
export { canaryForms, createCanaries, type Canaries } from './canaries.ts'
