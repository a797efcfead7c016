// docker-compose.dev.yaml against what it names: options, files, stages, services that say when they are ready. Starting it
// needs a container engine.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { options } from '../../shared/config/options.ts'
import { projectRoot } from '../support/index.ts'

interface Service {
  readonly build?: { readonly target: string }
  readonly environment?: Readonly<Record<string, unknown>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: unknown
}

const file = parse(readFileSync(join(projectRoot, 'docker-compose.dev.yaml'), 'utf8')) as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const services = Object.entries(file.services)

test('every variable of the platform is an option of sluice', () => {
  const variables = new Set(Object.values(options).map(({ variable }) => variable))
  const used = Object.keys(file.services['platform']?.environment ?? {})
  assert.ok(used.length > 5)
  assert.deepEqual(
    used.filter((name) => !variables.has(name)),
    [],
  )
})

test('every mounted file, build stage and volume exists', () => {
  const stages = [...readFileSync(join(projectRoot, 'Dockerfile'), 'utf8').matchAll(/^FROM .* AS (\S+)$/gm)].map(
    (m) => m[1],
  )
  const mounts = services.flatMap(([, { volumes = [] }]) => volumes).map((mount) => mount.split(':')[0] ?? '')
  assert.ok(mounts.length > 8)
  for (const source of mounts) {
    const exists = source.startsWith('./') ? existsSync(join(projectRoot, source)) : source in file.volumes
    assert.ok(exists, `${source} is not there`)
  }
  for (const [name, { build }] of services) assert.ok(build === undefined || stages.includes(build.target), name)
})

test('whoever waits for a service to be healthy waits for one with a health check', () => {
  for (const [name, { depends_on = {} }] of services) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const service = file.services[other]
      assert.ok(service !== undefined, `${name} waits for ${other}, which is not there`)
      assert.ok(condition !== 'service_healthy' || service.healthcheck !== undefined, `${other} has no health check`)
    }
  }
})

test('ports are published on loopback only, since callers have no identity here', () => {
  const ports = services.flatMap(([, service]) => service.ports ?? [])
  assert.ok(ports.length >= 3)
  assert.deepEqual(
    ports.filter((port) => !port.startsWith('127.0.0.1:')),
    [],
  )
})
