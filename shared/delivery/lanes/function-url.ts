// Where a function is reached by the lane driver.

import type { Config } from '../../config/index.ts'

export const functionUrlsOf =
  ({ functionUrls, functionUrlTemplate }: Pick<Config, 'functionUrls' | 'functionUrlTemplate'>) =>
  (name: string): string =>
    functionUrls.get(name) ?? functionUrlTemplate.replaceAll('{function}', name)
