import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { dryRunTokenHeader as declared } from '../../../../shared/delivery/index.ts'
import { dryRunTokenHeader } from '../../../../shared/function/receiver/dry-run-header.ts'
import { projectRoot } from '../../../support/index.ts'

test('it is the header that delivery declares', () => {
  assert.equal(dryRunTokenHeader, declared)
})

test('the runtime of a function loads no client of anything before the function names what it needs', () => {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = new Set()
    registerHooks({ resolve: (name, context, next) => {
      const found = next(name, context)
      const [, module] = /node_modules\\/(@[^/]+\\/[^/]+|[^/]+)\\//.exec(found.url) ?? []
      if (module !== undefined) loaded.add(module)
      return found
    } })
    await import('./shared/function/index.ts')
    console.log([...loaded].join(' '))`
  const options = { cwd: projectRoot, encoding: 'utf8', timeout: 60_000 } as const
  const loaded = execFileSync(process.execPath, ['--input-type=module', '--eval', program], options).trim().split(' ')
  assert.ok(loaded.includes('pino'), loaded.join(' '))
  const clients = ['undici', 'pg', 'kafkajs', 'ioredis', 'fastify', '@opentelemetry/sdk-node']
  assert.deepEqual(
    clients.filter((name) => loaded.includes(name)),
    [],
  )
})
