export { pii, secret, type Hidden, type Pii, type Secret } from './secret.ts'
export { describeOptions, loadConfig, secretsIn, type Config, type OptionRow } from './load-config.ts'
