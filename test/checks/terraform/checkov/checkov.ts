// checkov beside the project's own rules: all of its checks but those that are named here with a reason, and rules for open ports,
// which it overlooks. It is a Python program of 290 MB, so it runs only when it is asked for (--checkov).

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Check, Findings } from '../../check.ts'
import { run } from '../../program.ts'
import { breaches } from '../breaches.ts'
import { withScratch } from '../terraform.ts'

const version = '3.3.30'
const venv = '.cache/checkov-venv'

/** Checks that say nothing here, or something else than is wanted. */
const excepted: Readonly<Record<string, string>> = {
  CKV2_AWS_5: 'the groups are worn by pods, through the outputs',
  CKV2_AWS_6: 'follows the first key of a for_each only; the rules over the plan see every bucket',
  CKV2_AWS_61: 'as above',
  CKV_AWS_145: 'as above',
  CKV_AWS_21: 'as above',
  CKV2_AWS_50: 'one node in dev; production is held to two by the rules over the plan',
  CKV2_AWS_62: 'nobody waits for news of buckets',
  CKV2_AWS_69: 'rds.force_ssl is set in a list that it does not follow; the rules over the plan see it',
  CKV_AWS_109: 'the policy of a key is attached to that key: * is the key itself',
  CKV_AWS_111: 'as above',
  CKV_AWS_356: 'as above',
  CKV_AWS_118: 'off in dev, on in prod (settings.tf)',
  CKV_AWS_144: 'copies in another region are a decision about costs and law',
  CKV_AWS_157: 'off in dev; production is held to it by the rules over the plan',
  CKV_AWS_161: 'functions have names and passwords, which a URL can hold; an option',
  CKV_AWS_18: 'who reads objects is in CloudTrail, where an organisation wants it',
  CKV_AWS_293: 'off in dev; production is held to it by the rules over the plan',
  CKV_AWS_304: 'the period is a variable that it does not follow; its validation allows no longer one',
  CKV_AWS_338: 'the time is a setting: a year of brokers’ logs is wanted by few',
}

/** Mistakes of breaches.ts that it must find, each with the check that does. */
const planted: Readonly<Record<string, string>> = {
  'a database stored in clear': 'CKV_AWS_16',
  'Kafka in clear': 'CKV_AWS_81',
  'Postgres open to the internet': 'CKV2_SLUICE_1',
  'Redis open to the internet, by a rule inside the group': 'CKV2_SLUICE_3',
}

/** A check, or why there is none. */
export async function checkovCheck(root: string): Promise<Check | { readonly skipped: string }> {
  const program = await installed(root)
  if (typeof program !== 'string') return program
  return {
    name: 'checkov',
    what: 'checks',
    least: 150,
    run: async () => {
      const findings = await judge(program, join(root, 'infra/terraform'))
      const missed = await missedIn(root, program)
      return {
        passed: findings.passed && missed.length === 0,
        read: findings.read,
        output: [findings.output, ...missed].join('\n'),
      }
    },
  }
}

/** Installed once for each version. */
async function installed(root: string): Promise<string | { readonly skipped: string }> {
  const folder = join(root, venv)
  const program = join(folder, 'bin', 'checkov')
  const present = existsSync(program) ? await run({ cwd: root, file: program, args: ['--version'] }) : { output: '' }
  if (present.output.includes(version)) return program
  const made = await run({ cwd: root, file: 'python3', args: ['-m', 'venv', '--clear', folder] })
  if (made.code !== 0) return { skipped: 'there is no Python 3 with venv' }
  process.stdout.write(`Installing checkov ${version} in ${venv}, which takes minutes\n`)
  const { status, stderr } = spawnSync(join(folder, 'bin', 'pip'), ['install', '-q', `checkov==${version}`], {
    encoding: 'utf8',
  })
  return status === 0 ? program : { skipped: `pip could not install checkov: ${stderr.trim().split('\n').at(-1)}` }
}

interface Report {
  readonly summary: { readonly passed: number; readonly failed: number; readonly parsing_errors: number }
  readonly results: {
    readonly failed_checks: readonly {
      readonly check_id: string
      readonly check_name: string
      readonly resource: string
      readonly file_path: string
    }[]
  }
}

async function judge(program: string, folder: string): Promise<Findings> {
  const rules = dirname(fileURLToPath(import.meta.url))
  const options = '--framework terraform --skip-download --quiet --compact --output json'.split(' ')
  const skip = Object.keys(excepted).join(',')
  const args = ['--directory', folder, ...options, '--external-checks-dir', rules, '--skip-check', skip]
  const { output } = await run({ cwd: folder, file: program, args, limitMs: 600_000 })
  const { summary, results } = JSON.parse(output.slice(output.indexOf('{'))) as Report
  const lines = results.failed_checks.map(
    ({ check_id, check_name, resource, file_path }) => `${file_path}: ${resource}: ${check_name} (${check_id})`,
  )
  return {
    passed: summary.failed === 0 && summary.parsing_errors === 0,
    read: summary.passed + summary.failed,
    output: lines.join('\n'),
  }
}

/** All mistakes in one copy: it says of each where it is. */
const missedIn = (root: string, program: string): Promise<readonly string[]> =>
  withScratch(root, async (folder) => {
    for (const { name, file, from, to } of breaches.filter(({ name: one }) => one in planted)) {
      const path = join(folder, file)
      const text = readFileSync(path, 'utf8')
      if (!text.includes(from)) throw new Error(`${name}: ${file} has no longer ${from}`)
      writeFileSync(path, text.replace(from, to))
    }
    const { output } = await judge(program, folder)
    return Object.entries(planted)
      .filter(([, id]) => !output.includes(`(${id})`))
      .map(([name, id]) => `${name}: to be found by ${id}, and passed`)
  })
