// `npm run check:knative`: what can be known about chart and manifests without a cluster, each check with what it read.
//   npm run check:knative -- helm planted     only checks whose name contains one of the words
//   npm run check:knative -- --api-server     beside them a real API server with Knative's resources and webhook
// Code 1 when one failed. What cannot run on this machine is named with the reason.

import { projectRoot } from '../../support/places.ts'
import { runChecks } from '../run-checks.ts'
import { apiServerCheck } from './api-server/api-server-check.ts'
import { knativeChecks } from './checks.ts'

const args = process.argv.slice(2)
const checks = args.includes('--api-server') ? [...knativeChecks, apiServerCheck] : knativeChecks
const words = args.filter((word) => word !== '--api-server')
process.exitCode = await runChecks(checks, { root: projectRoot, words, command: 'check:knative', oneByOne: true })
