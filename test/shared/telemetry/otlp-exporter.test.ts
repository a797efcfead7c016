import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { createOtlpExporter } from '../../../shared/telemetry/otlp-exporter.ts'

test('spans of others that cannot be encoded are lost, and neither the process nor what comes after them', async () => {
  const told: unknown[] = []
  const exporter = createOtlpExporter({
    sender: { send: async () => '' },
    onExported: (...outcome) => void told.push(outcome),
  })
  const hostile = {
    get resource(): never {
      throw new Error('no')
    },
  }
  const { code } = await new Promise<{ code: number }>((done) =>
    exporter.export([hostile as unknown as ReadableSpan], done),
  )
  assert.equal(code, 1)
  assert.deepEqual(told, [['lost', 1, 'not serialisable']])
})
