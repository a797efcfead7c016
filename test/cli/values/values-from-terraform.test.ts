import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { findHelm } from '../../../cli/knative/helm.ts'
import { readTerraformOutputs, valuesFromTerraform } from '../../../cli/values/index.ts'
import { installedFunctions } from '../../../local/platform/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { judgeManifests, manifestsOf } from '../../checks/terraform/values-bridge.ts'
import { projectRoot, temporaryFolder } from '../../support/index.ts'

const names = (await installedFunctions(projectRoot)).map(({ name }) => name)
const skip = findHelm(projectRoot) === undefined ? 'there is no Helm here' : false

const outputs = {
  region: 'eu-west-1',
  postgres: { host: 'db.example.com', port: 5432, database: 'sluice', administrator_secret_arn: 'arn' },
  redis: { host: 'redis.example.com', port: 6379, user_name: 'functions' },
  kafka: { bootstrap_servers: 'b-1.example.com:9096,b-2.example.com:9096', topics: {} },
  buckets: { attachments: 'sluice-dev-attachments-123456789012' },
  secrets: { postgres: 'p', redis: 'r', kafka: 'AmazonMSK_k', model: 'm', memory: 'mem' },
  functions: Object.fromEntries(
    [...names, 'sluice-migrate', 'sluice-sources'].map((name) => [
      name,
      { role_arn: `arn:aws:iam::123456789012:role/sluice-dev-${name}`, security_group_ids: ['sg-all', `sg-${name}`] },
    ]),
  ),
}

/** As `terraform output -json` prints them. */
const printed = (values: object): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        { sensitive: false, type: 'dynamic', value: value as unknown },
      ]),
    ),
  )

const refused = (values: object, pattern: RegExp): void =>
  assert.throws(
    () => readTerraformOutputs(printed(values)),
    (error) => error instanceof SluiceError && error.code === 'invalid_option' && pattern.test(error.message),
  )

const sluice = (args: readonly string[], input: string) =>
  spawnSync(process.execPath, ['cli/main.ts', 'values', ...args], { cwd: projectRoot, input, encoding: 'utf8' })

test('the values of Terraform are enough beside an image, and doctor finds no error', { skip }, () => {
  const text = manifestsOf(projectRoot, valuesFromTerraform(readTerraformOutputs(printed(outputs)), names))
  const { errors, read } = judgeManifests(text)
  assert.deepEqual(errors, [])
  assert.ok(read > 50)
  assert.match(text, /eks\.amazonaws\.com\/role-arn: arn:aws:iam::123456789012:role\/sluice-dev-gateway/)
  assert.match(text, /key: AmazonMSK_k/)
  assert.match(text, /- sg-gateway/)
  assert.match(text, /BUCKET_ATTACHMENTS: "sluice-dev-attachments-123456789012"/)
})

test('an output that is missing, has another name or is of another type is named', () => {
  const { region: _region, ...without } = outputs
  refused(without, /^output region is missing$/)
  refused({ ...outputs, kafka: { brokers: 'b-1:9096' } }, /^output kafka\.bootstrap_servers is missing$/)
  refused(
    { ...outputs, kafka: { bootstrap_servers: ['b-1:9096'] } },
    /^output kafka\.bootstrap_servers must be string$/,
  )
  refused({ ...outputs, kafka: { bootstrap_servers: 'b-1' } }, /^output kafka\.bootstrap_servers must match pattern/)
  refused({ ...outputs, postgres: { ...outputs.postgres, port: '5432' } }, /^output postgres\.port must be integer$/)
  refused(
    { ...outputs, functions: { gateway: { role_arn: 'x', security_group_ids: [] } } },
    /^output functions\.gateway\.role_arn must match.*; output functions\.gateway\.security_group_ids must NOT have fewer/,
  )
})

test('what is no output at all is refused, and an environment that was never applied', () => {
  assert.throws(() => readTerraformOutputs('Error: no state'), /not what `terraform output -json` prints/)
  assert.throws(() => readTerraformOutputs('{}'), /`terraform apply` comes first/)
})

test('a function that Terraform does not know yet is named with what to do', () => {
  const { gateway: _gateway, ...known } = outputs.functions
  assert.throws(
    () => valuesFromTerraform(readTerraformOutputs(printed({ ...outputs, functions: known })), names),
    /output functions\.gateway is missing: `npx sluice render`, then `terraform apply`/,
  )
})

test('sluice values prints YAML, writes it where it is told to, and no fault leaves half a file', (t) => {
  const file = join(temporaryFolder(t), 'values.yaml')
  const shown = sluice(['from-terraform'], printed(outputs))
  assert.equal(shown.status, 0, shown.stderr)
  const { functions } = parse(shown.stdout) as { readonly functions: object }
  assert.deepEqual(Object.keys(functions), names)

  const wrong = sluice(['from-terraform', '--into', file], printed({ ...outputs, region: 7 }))
  assert.equal(wrong.status, 1)
  assert.match(wrong.stderr, /^sluice values: output region must be string$/m)
  assert.equal(existsSync(file), false)

  for (const _twice of [1, 2]) assert.equal(sluice(['from-terraform', '--into', file], printed(outputs)).status, 0)
  assert.equal(readFileSync(file, 'utf8'), shown.stdout)

  writeFileSync(file, 'mine: true\n')
  assert.match(sluice(['from-terraform', '--into', file], printed(outputs)).stderr, /left as it is/)
  assert.equal(readFileSync(file, 'utf8'), 'mine: true\n')
  assert.equal(sluice([], printed(outputs)).status, 2)
})
