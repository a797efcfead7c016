import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  prometheusTargetsPath,
  removePrometheusTargets,
  writePrometheusTargets,
} from '../../../local/platform/prometheus-targets.ts'
import { temporaryFolder } from '../../support/index.ts'

test('Prometheus is told the operations port of each process, and nothing once they are gone', (t) => {
  const home = temporaryFolder(t)
  writePrometheusTargets(home, ['http://127.0.0.1:4001/ready', 'http://127.0.0.1:4002/ready'])
  assert.deepEqual(JSON.parse(readFileSync(prometheusTargetsPath(home), 'utf8')), [
    { targets: ['127.0.0.1:4001', '127.0.0.1:4002'] },
  ])
  removePrometheusTargets(home)
  removePrometheusTargets(home)
  assert.ok(!existsSync(prometheusTargetsPath(home)))
})
