// `sluice values`: values of the chart from what Terraform made, so that nothing is copied by hand.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { installedFunctions } from '../../local/platform/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { Command } from '../command.ts'
import { projectRoot } from '../project.ts'
import { readTerraformOutputs, valuesFromTerraform } from '../values/index.ts'

const notice =
  '# Written by sluice values from-terraform. What is yours belongs into another file, given to Helm after this one.\n'

export const command: Command = {
  summary: "Writes the chart's values from what Terraform made",
  usage: `Usage: terraform output -json | sluice values from-terraform [--into FILE]

Writes values of the chart in knative/ from the outputs of infra/terraform: brokers, names of secrets, and for each function
the role of its ServiceAccount and the security groups of its pods. No secret is in them. An output that is missing, has another
name or is of another type is named, and nothing is written.

  --into FILE   there instead of standard output; a file that somebody else wrote is left alone

  terraform output -json | npx sluice values from-terraform --into values-terraform.yaml
  helm upgrade --install sluice knative -f values-terraform.yaml -f values-mine.yaml`,
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { into: { type: 'string' } },
    })
    if (positionals.length !== 1 || positionals[0] !== 'from-terraform') {
      console.error(`sluice values: expected from-terraform\n\n${command.usage}`)
      return 2
    }
    const outputs = readTerraformOutputs(readFileSync(0, 'utf8'))
    const functions = (await installedFunctions(projectRoot)).map(({ name }) => name)
    // Without aliases: whoever reads the file need not know them.
    const text = notice + stringify(valuesFromTerraform(outputs, functions), { aliasDuplicateObjects: false })
    if (values.into === undefined) process.stdout.write(text)
    else writeInto(values.into, text)
    return 0
  },
}

function writeInto(file: string, text: string): void {
  if (existsSync(file) && !readFileSync(file, 'utf8').startsWith(notice))
    throw new SluiceError('invalid_option', `${file} is not a file that sluice values wrote; it is left as it is`)
  writeFileSync(file, text)
  console.log(`written  ${file}`)
}
