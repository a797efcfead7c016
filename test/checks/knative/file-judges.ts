// What is wrong with files that are no manifests: skaffold.yaml, compose files, Dockerfiles. Each by the program or the schema of
// the tool that reads it.

import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { isSkipped, type Skipped } from '../check.ts'
import { run } from '../program.ts'
import { goTool, goTools, moduleFolder } from './go-tools.ts'
import { hadolint } from './hadolint.ts'

/** The faults of a file. */
export type FileJudge = (root: string, file: string) => Promise<readonly string[] | Skipped>

export const judgeSkaffold: FileJudge = async (root, file) => {
  const folder = await moduleFolder(root, 'knvalidate', 'github.com/GoogleContainerTools/skaffold/v2@v2.24.0')
  if (isSkipped(folder)) return folder
  const schema = readFileSync(join(folder, 'docs-v2/content/en/schemas/v4beta14.json'), 'utf8')
  const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(schema) as object)
  const config: unknown = parse(readFileSync(file, 'utf8'))
  if (validate(config)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${file}: ${instancePath} ${message ?? ''}`)
}

/** The library that `docker compose config` reads files with. */
export const judgeCompose: FileJudge = async (root, file) => {
  const program = await goTool(root, goTools.compose)
  if (isSkipped(program)) return program
  const { code, output } = await run({ file: program, args: [file], cwd: dirname(file) })
  return code === 0 ? [] : [`${file}: ${output.trim().slice(-500)}`]
}

export const judgeDockerfile: FileJudge = async (root, file) => {
  const program = await hadolint(root)
  if (isSkipped(program)) return program
  const { code, output } = await run({ file: program, args: ['--failure-threshold', 'warning', file] })
  return code === 0 ? [] : [output]
}
