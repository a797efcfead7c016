// A function, its events and what follows from both: that names, folders, schemas and manifests belong together.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { driftOf, renderProject } from '../../cli/render-project.ts'
import { projectRoot } from '../support/places.ts'
import { assertNone, list } from './project-files.ts'

interface Definition {
  readonly file: string
  readonly folder: string
  readonly name: string
  readonly consumes: readonly { readonly topic: unknown; readonly type: { readonly type: string } }[]
}

async function definitions(): Promise<readonly Definition[]> {
  const files = list('functions/*/function.ts')
  return Promise.all(
    files.map(async (file) => {
      const exported = Object.values((await import(pathToFileURL(join(projectRoot, file)).href)) as object)
      const contract = exported.find((value) => typeof value === 'object' && value !== null && 'kind' in value) as
        | { readonly name: string; readonly consumes?: unknown }
        | undefined
      assert.ok(contract !== undefined, `${file} exports no contract made by defineFunction or defineHttpFunction`)
      const consumes = Array.isArray(contract.consumes) ? (contract.consumes as Definition['consumes']) : []
      return { file, folder: basename(dirname(file)), name: contract.name, consumes }
    }),
  )
}

test('a function has one name: that of its folder, its contract and its manifests', async () => {
  const all = await definitions()
  assert.ok(all.length >= 3, `only ${all.length} functions were read`)
  const faults = all.flatMap(({ folder, name, file }) => [
    ...(name === folder ? [] : [`${file} calls itself ${name}`]),
    ...['main.ts', 'README.md']
      .filter((part) => !existsSync(join(projectRoot, 'functions', folder, part)))
      .map((part) => `functions/${folder} has no ${part}`),
    ...['dev', 'production']
      .filter((environment) => !existsSync(join(projectRoot, 'knative', 'rendered', environment, name, 'service.yaml')))
      .map((environment) => `knative/rendered/${environment} has no ${name}`),
  ])
  assertNone(faults, 'one name, and a folder that is complete')
})

test('what follows from the functions is what they say', async () => {
  const rendering = await renderProject(projectRoot)
  assert.ok(rendering.files.size >= 5, `only ${rendering.files.size} files were read`)
  const { stale, leftOver } = driftOf(projectRoot, rendering)
  assertNone([...stale, ...leftOver], 'a definition was changed: run npx sluice render, and commit what it writes')
})

test('every consumed type has a schema with examples that fit and examples that do not', async () => {
  const types = new Set((await definitions()).flatMap(({ consumes }) => consumes.map(({ type }) => type.type)))
  assert.ok(types.size >= 3, `only ${types.size} consumed types were read`)
  for (const type of types) assertHasSchema(type)
})

test('every schema of an event has examples that fit and examples that do not', () => {
  const schemas = list('schemas/events/*/v*.schema.json')
  assert.ok(schemas.length >= 5, `only ${schemas.length} schemas were read`)
  for (const schema of schemas) {
    const [, , type = '', file = ''] = schema.split('/')
    assertHasSchema(`${type}.${file.replace('.schema.json', '')}`)
  }
})

function assertHasSchema(type: string): void {
  const [, name = '', version = ''] = /^(.+)\.(v\d+)$/.exec(type) ?? []
  const folder = `schemas/events/${name}`
  assert.ok(
    existsSync(join(projectRoot, folder, `${version}.schema.json`)),
    `${folder}/${version}.schema.json is missing for ${type}`,
  )
  for (const kind of ['valid', 'invalid']) {
    assert.ok(list(`${folder}/examples/${kind}-*.json`).length > 0, `${folder}/examples has no ${kind}-*.json`)
  }
}
