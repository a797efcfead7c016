// `npm run check:terraform`: the Terraform code, checked without an account and without the provider. Code 1 when a check failed.
// Then every mistake of breaches.ts is planted in a copy, and must be found.
//   npm run check:terraform -- dev          only the checks whose name contains a word; `breaches` for those
//   npm run check:terraform -- --checkov    beside them checkov, which pip installs where there is Python

import { projectRoot } from '../../support/places.ts'
import { runChecks } from '../run-checks.ts'
import { appliedEnvironments } from './applied-environments.ts'
import { checkovCheck } from './checkov/checkov.ts'
import { breachCheck, terraformChecks } from './checks.ts'
import { startProviderStub } from './provider/provider-stub.ts'
import { readAwsSchema } from './provider/schema.ts'
import { findTerraform } from './terraform.ts'

const args = process.argv.slice(2)
const words = args.filter((word) => word !== '--checkov')
const checkov = args.includes('--checkov') ? await checkovCheck(projectRoot) : undefined
if (checkov !== undefined && 'skipped' in checkov) console.log(`– checkov skipped: ${checkov.skipped}`)

const program = await findTerraform()
if (program === undefined) {
  console.log('Skipped: there is no terraform or tofu on the PATH')
} else {
  const stub = await startProviderStub(readAwsSchema())
  const applied = appliedEnvironments(projectRoot, { program, stub })
  try {
    const checks = [
      ...terraformChecks({ program, stub }, applied),
      breachCheck({ program, stub }),
      ...(checkov === undefined || 'skipped' in checkov ? [] : [checkov]),
    ]
    const options = { root: projectRoot, words, command: 'check:terraform' }
    process.exitCode = await runChecks(checks, options)
  } finally {
    stub.stop()
  }
}
