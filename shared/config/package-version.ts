// The version of this package: of a function that nothing else gave one, as on one machine.

import packageJson from '../../package.json' with { type: 'json' }

export const packageVersion: string = packageJson.version
