// The header of a dry run, as delivery declares it. A copy, which the compiler compares: importing delivery for one word would make
// every function load it at its start, and with it the HTTP client, half of all its code.

import type { dryRunTokenHeader as declared } from '../../delivery/index.ts'

export const dryRunTokenHeader: typeof declared = 'sluice-dry-run-token'
