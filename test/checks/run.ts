// `npm run check`: every check at once, each with what it read and how long it took. Code 1 when one failed.
//   npm run check -- lint types     only those whose name contains one of the words

import { projectRoot } from '../support/places.ts'
import { checks } from './checks.ts'
import { runChecks } from './run-checks.ts'

process.exitCode = await runChecks(checks, { root: projectRoot, words: process.argv.slice(2), command: 'check' })
