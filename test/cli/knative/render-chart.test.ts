// What the committed manifests come from, and what is the same each time.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { findHelmProgram } from '../../../cli/knative/helm.ts'
import { renderChart } from '../../../cli/knative/render-chart.ts'
import { projectRoot } from '../../support/index.ts'
import { definitions, names, ofKind, rendered, required, skip, type Resource } from './rendered-chart.ts'

test('the same functions give the same bytes', { skip }, () => {
  const [first, second] = [renderChart(projectRoot, definitions), renderChart(projectRoot, definitions)]
  assert.deepEqual([...first.files], [...second.files])
})

test('without Helm the manifests are unknown, but whether they are of this chart is not', { skip }, () => {
  const { files, hasManifests } = renderChart(projectRoot, definitions, 'none')
  assert.equal(hasManifests, false)
  assert.deepEqual([...files.keys()], ['knative/files/functions.yaml', 'knative/rendered/made-from.sha256'])
  const fingerprint = 'knative/rendered/made-from.sha256'
  assert.equal(files.get(fingerprint), renderChart(projectRoot, definitions).files.get(fingerprint))
})

test('a changed setting makes a new revision, and what the migration runs with a new Job', { skip }, (t) => {
  const of = (values: object) => {
    const resources = rendered(t, { ...required, ...values })
    const [service] = ofKind(resources, 'Service')
    return [
      service?.spec.template.metadata.annotations['sluice.dev/settings'],
      ofKind(resources, 'Job')[0]?.metadata.name,
    ]
  }
  const [settings, job] = of({})
  const [otherSettings, sameJob] = of({ env: { LOG_LEVEL: 'warn' } })
  assert.notEqual(otherSettings, settings)
  assert.equal(sameJob, job)
  assert.notEqual(of({ image: { ...required.image, tag: '2' } })[1], job)
  assert.notEqual(of({ imagePullSecrets: [{ name: 'registry' }] })[1], job)
})

test('every service.yaml is one document, and order.txt lists every manifest once', { skip }, () => {
  const { files } = renderChart(projectRoot, definitions)
  for (const environment of ['dev', 'production']) {
    const folder = `knative/rendered/${environment}/`
    const manifests = [...files.keys()].filter((file) => file.startsWith(folder) && file.endsWith('.yaml'))
    for (const name of names) {
      const text = files.get(`${folder}${name}/service.yaml`) ?? ''
      assert.equal((parse(text) as Resource).metadata.name, name)
    }
    const order = (files.get(`${folder}order.txt`) ?? '').trimEnd().split('\n')
    assert.deepEqual(order.map((file) => folder + file).toSorted(), manifests.toSorted())
    const first = (template: string): number => order.findIndex((file) => file.endsWith(template))
    assert.ok(first('/service-account.yaml') < first('/migrate-job.yaml'))
    assert.ok(
      first('/migrate-job.yaml') < first('/service.yaml') && first('/service.yaml') < first('/kafka-source.yaml'),
    )
  }
})

test('helm lint has nothing to say', { skip }, () => {
  const file = findHelmProgram(projectRoot) ?? ''
  for (const values of ['values-dev.yaml', 'values-production.yaml']) {
    const { status, stdout } = spawnSync(file, ['lint', '--strict', join(projectRoot, 'knative'), '--values', join(projectRoot, 'knative', values)], { encoding: 'utf8' }) // prettier-ignore
    assert.equal(status, 0, stdout)
  }
})
