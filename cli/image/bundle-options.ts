// How a function becomes a bundle: for the image, and for whoever measures what the image runs.

import type { BuildOptions } from 'esbuild'

export const bundleOptions: BuildOptions = {
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Some packages are CommonJS inside and call require(), which an ES module does not have.
  banner: {
    js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
  },
  external: ['pg-native'], // an optional driver that pg asks for and does without
}
