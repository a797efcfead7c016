import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findHelm, type TemplateRequest } from '../../../cli/knative/helm.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { projectRoot, temporaryFolder } from '../../support/index.ts'

const skip = findHelm(projectRoot) === undefined ? 'there is no Helm here' : false

test('what Helm refuses is an error with its own words', { skip }, (t) => {
  const request: TemplateRequest = {
    chart: temporaryFolder(t),
    release: 'x',
    namespace: 'x',
    valuesFile: 'missing.yaml',
  }
  assert.throws(
    () => findHelm(projectRoot)?.template(request),
    (error) => error instanceof SluiceError && error.code === 'start_failed' && /helm template.*missing\.yaml/.test(error.message), // prettier-ignore
  )
})
