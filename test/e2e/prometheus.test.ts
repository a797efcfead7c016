// A real Prometheus scrapes every function, each a real process, after a turn that used the model and a tool.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { tools } from '../../functions/tool-executor/tools/index.ts'
import { prometheusTargetsPath } from '../../local/platform/prometheus-targets.ts'
import { allotPorts } from '../../local/runner/index.ts'
import { createInstruments } from '../../shared/telemetry/index.ts'
import { metricRows } from '../checks/metric-rows.ts'
import { atEnd, projectRoot, prometheusForTests, temporaryFolder, until } from '../support/index.ts'
import { startServerProcess } from '../support/services/server-process.ts'
import { startPlatform } from './support/index.ts'

const functions = readdirSync(join(projectRoot, 'functions'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

interface Prometheus {
  /** `data` of an answer of its API. */
  ask<T>(path: string, parameters?: Readonly<Record<string, string>>): Promise<T>
}

async function startPrometheus(t: TestContext, program: string, targetsFile: string): Promise<Prometheus> {
  const folder = temporaryFolder(t)
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(projectRoot, 'knative/files/alerts.yaml')],
    scrape_configs: [{ job_name: 'sluice', file_sd_configs: [{ files: [targetsFile] }] }],
  }
  const configFile = join(folder, 'prometheus.yml')
  writeFileSync(configFile, JSON.stringify(config)) // JSON is YAML
  const [port = 0] = await allotPorts(1)
  const url = `http://127.0.0.1:${port}`
  const child = await startServerProcess({
    file: program,
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ],
    ready: async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true,
    limitMs: 30_000,
  })
  atEnd(t, async () => void (await child.stop({ limitMs: 5_000 })))
  return {
    ask: async <T>(path: string, parameters = {}) => {
      const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`)
      const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string }
      assert.equal(status, 'success', error)
      return data
    },
  }
}

/** Resolves with what promtool had to say, and whether it was content. */
const promtool = (
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ readonly ok: boolean; readonly said: string }> =>
  new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ ok: error === null, said: `${stdout}${stderr}` }),
    )
    child.stdin?.end(input)
  })

type Series = Readonly<Record<string, string>> & { readonly __name__: string }

/** Samples of a histogram are told from those of a plain metric by their suffix. */
const familyOf = (name: string, known: ReadonlySet<string>): string =>
  known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')

test(
  'Prometheus scrapes all functions: names, label values, exemplars and rules are as declared',
  { timeout: 180_000 },
  async (t) => {
    const programs = await prometheusForTests(t)
    if (programs === undefined) return
    const platform = await startPlatform(t)
    const turn = await platform.send('What is 17*23?')
    assert.match(await turn.completed(60_000), /391/)
    const prometheus = await startPrometheus(t, programs.prometheus, prometheusTargetsPath(dirname(platform.logFolder)))

    interface Target {
      readonly health: string
      readonly lastError: string
    }
    const targets = await until('every process was scraped', async () => {
      const { activeTargets } = await prometheus.ask<{ activeTargets: readonly Target[] }>('targets')
      return activeTargets.every(({ health }) => health !== 'unknown') && activeTargets.length > 0 && activeTargets
    })
    assert.deepEqual(
      targets.filter(({ health }) => health !== 'up').map(({ lastError }) => lastError),
      [],
    )
    assert.equal(targets.length, functions.length)

    await t.test('promtool finds nothing wrong with what any function exposes', async () => {
      for (const [name, url] of platform.operationsUrls) {
        const text = await (await fetch(`${url}/metrics`)).text()
        const { ok, said } = await promtool(programs.promtool, ['check', 'metrics'], text)
        assert.ok(ok, `${name}: ${said}`)
      }
    })

    await t.test('every series of ours is declared, and each label has a value of its closed set', async () => {
      const declared = new Map(metricRows(createInstruments({ function: 'test' })).map((row) => [row.name, row]))
      const known = new Set(declared.keys())
      const series = await prometheus.ask<readonly Series[]>('series', { 'match[]': '{job="sluice"}' })
      const own = series.filter(({ __name__: name }) => !/^(up|scrape_|nodejs_|process_)/.test(name))
      assert.ok(own.length > 200, `only ${own.length} series`)
      const lists: Readonly<Record<string, readonly string[]>> = {
        function: functions,
        tool: tools.map(({ name }) => name),
      }
      const fromElsewhere = new Set(['__name__', 'job', 'instance', 'le', 'function'])
      const faults = own.flatMap((one) => {
        const row = declared.get(familyOf(one.__name__, known))
        if (row === undefined) return [`${one.__name__} is not declared`]
        return Object.entries(one).flatMap(([label, value]) => {
          if (label === 'function') return functions.includes(value) ? [] : [`${one.__name__}: function="${value}"`]
          if (fromElsewhere.has(label)) return []
          const values = row.labels[label]?.values ?? lists[label]
          const isDependency =
            label === 'dependency' &&
            /^(model|memory-service|memory (recall|write)|function|http_fetch|tool [a-z_]+)$/.test(value)
          return isDependency || values?.includes(value) === true ? [] : [`${one.__name__}: ${label}="${value}"`]
        })
      })
      assert.deepEqual(faults, [])
    })

    await t.test('a bucket leads to the trace of the turn', async () => {
      const now = Date.now() / 1_000
      interface Exemplars {
        readonly exemplars: readonly { readonly labels: { readonly trace_id?: string } }[]
      }
      const found = await until('exemplars were scraped', async () => {
        const all = await prometheus.ask<readonly Exemplars[]>('query_exemplars', {
          query: 'sluice_run_seconds_bucket',
          start: String(now - 600),
          end: String(now + 600),
        })
        return all.length > 0 && all
      })
      const ids = found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id))
      assert.ok(ids.includes(turn.traceId), `${turn.traceId} is none of ${ids.join(' ')}`)
    })

    await t.test('the alert rules are evaluated, and none fires for a platform that is well', async () => {
      interface Rule {
        readonly name: string
        readonly health: string
        readonly state: string
        readonly lastError?: string
      }
      const rules = await until('the rules were evaluated', async () => {
        const { groups } = await prometheus.ask<{ groups: readonly { readonly rules: readonly Rule[] }[] }>('rules')
        const all = groups.flatMap((group) => group.rules)
        return all.length > 0 && all.every(({ health }) => health !== 'unknown') && all
      })
      assert.ok(rules.length >= 15, `only ${rules.length} rules`)
      assert.deepEqual(
        rules.filter(({ health, state }) => health !== 'ok' || state === 'firing'),
        [],
      )
    })
  },
)

test(
  'promtool accepts the alert rules, and each fires when it should and not before',
  { timeout: 60_000 },
  async (t) => {
    const programs = await prometheusForTests(t)
    if (programs === undefined) return
    const checked = await promtool(programs.promtool, [
      'check',
      'rules',
      join(projectRoot, 'knative/files/alerts.yaml'),
    ])
    assert.ok(checked.ok, checked.said)
    const tested = await promtool(programs.promtool, [
      'test',
      'rules',
      join(projectRoot, 'test/knative/files/alerts.test.yaml'),
    ])
    assert.ok(tested.ok, tested.said)
  },
)
