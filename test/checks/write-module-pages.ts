// infra/terraform/modules/*/README.md: what a module is (the first comment of its main.tf), takes and gives. HashiCorp's own parser,
// compiled to WebAssembly, reads the files, so that Terraform need not be installed.
//
//   node test/checks/write-module-pages.ts          writes them
//   node test/checks/write-module-pages.ts --check  names each that is out of date, and ends with code 1

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { projectRoot } from '../support/places.ts'

// Not imported: its types bring those of browsers into the whole project.
const require = createRequire(import.meta.url)
const { parse } = require('@cdktf/hcl2json') as { parse(file: string, text: string): Promise<object> }

interface Variable {
  readonly description: string
  readonly type: string
  readonly default?: unknown
}

interface Output {
  readonly description: string
}

type Blocks<T> = Readonly<Record<string, readonly T[]>>

const notice =
  '<!-- Written by test/checks/write-module-pages.ts from the files of the module. Change those, not this one. -->'

async function pageOf(folder: string, name: string): Promise<string> {
  const { variable = {} } = (await read(folder, 'variables.tf')) as { readonly variable?: Blocks<Variable> }
  const { output = {} } = (await read(folder, 'outputs.tf')) as { readonly output?: Blocks<Output> }
  const { resource = {} } = (await read(folder, 'main.tf')) as { readonly resource?: Blocks<unknown> }
  const variables = Object.entries(variable).flatMap(([key, blocks]) => blocks.map((block) => ({ key, ...block })))
  const outputs = Object.entries(output).flatMap(([key, blocks]) => blocks.map((block) => ({ key, ...block })))
  return `${notice}

# ${name}

${commentOf(readFileSync(join(folder, 'main.tf'), 'utf8'))}

Makes ${Object.keys(resource)
    .toSorted()
    .map((type) => `\`${type}\``)
    .join(', ')}.

| input | type | default | |
|---|---|---|---|
${variables.map((one) => `| \`${one.key}\` | ${typeOf(one)} | ${defaultOf(one)} | ${one.description} |`).join('\n')}

| output | |
|---|---|
${outputs.map(({ key, description }) => `| \`${key}\` | ${description} |`).join('\n')}
`
}

const read = (folder: string, file: string): Promise<object> => parse(file, readFileSync(join(folder, file), 'utf8'))

/** A paragraph for each that the opening comment has. */
function commentOf(text: string): string {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('#'))
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^# ?/, ''))
    .join('\n')
}

/** An object by its attributes; what they are stands in variables.tf. */
function typeOf({ type }: Variable): string {
  const text = type.replace(/^\$\{([^]*)\}$/, '$1')
  const attributes = [...text.matchAll(/^ {4}(\w+) +=/gm)].map(([, name]) => name)
  return attributes.length === 0 ? `\`${text}\`` : `\`${text.replace(/\{[^]*\}/, `{ ${attributes.join(', ')} }`)}\``
}

const defaultOf = (variable: Variable): string =>
  'default' in variable ? `\`${shortened(JSON.stringify(variable.default))}\`` : 'required'

const shortened = (text: string): string => (text.length > 60 ? 'see variables.tf' : text)

const modules = join(projectRoot, 'infra/terraform/modules')
const isCheck = process.argv.includes('--check')
for (const name of readdirSync(modules).toSorted()) {
  const file = join(modules, name, 'README.md')
  const page = await pageOf(join(modules, name), name)
  if (existsSync(file) && readFileSync(file, 'utf8') === page) continue
  if (isCheck) {
    console.error(`infra/terraform/modules/${name}/README.md is not what the module says`)
    process.exitCode = 1
  } else {
    writeFileSync(file, page)
    console.log(`written  infra/terraform/modules/${name}/README.md`)
  }
}
