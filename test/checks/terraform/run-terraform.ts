// `npm run check:terraform`: the Terraform code, checked without an account and without the provider. Code 1 when a check failed.
//   npm run check:terraform -- dev     only the checks whose name contains a word

import { projectRoot } from '../../support/places.ts'
import { runChecks } from '../run-checks.ts'
import { terraformChecks } from './checks.ts'
import { startProviderStub } from './provider/provider-stub.ts'
import { readAwsSchema } from './provider/schema.ts'
import { findTerraform } from './terraform.ts'

const program = await findTerraform()
if (program === undefined) {
  console.log('Skipped: there is no terraform or tofu on the PATH')
} else {
  const stub = await startProviderStub(readAwsSchema())
  try {
    const checks = terraformChecks({ program, stub })
    process.exitCode = await runChecks(checks, {
      root: projectRoot,
      words: process.argv.slice(2),
      command: 'check:terraform',
    })
  } finally {
    stub.stop()
  }
}
