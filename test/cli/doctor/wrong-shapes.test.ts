// Whatever stands where, the doctor ends with findings and not with an error.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments, stringify } from 'yaml'
import { diagnose, rules } from '../../../cli/doctor/index.ts'
import { isObject, type Path } from '../../../cli/doctor/manifest.ts'
import { parseManifests } from '../../../cli/doctor/read-manifests.ts'
import { projectRoot } from '../../support/places.ts'

const wrong = [null, 0, -1, 1e300, '', 'x', '-', [], [null], {}, { '': null }, true]

function* pathsOf(value: unknown, path: Path = []): Iterable<Path> {
  if (path.length > 0) yield path
  if (isObject(value)) for (const [name, inner] of Object.entries(value)) yield* pathsOf(inner, [...path, name])
  if (Array.isArray(value)) for (const [at, inner] of value.entries()) yield* pathsOf(inner, [...path, at])
}

test('every value of every fixture may be of any shape', () => {
  const folder = join(projectRoot, 'test/fixtures/doctor')
  let tried = 0
  for (const file of globSync('*.yaml', { cwd: folder })) {
    const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8'))
    assert.ok(Array.isArray(documents))
    const [document] = documents.filter(({ errors }) => errors.length === 0)
    assert.ok(document !== undefined)
    for (const path of pathsOf(document.toJS())) {
      const value = wrong[tried % wrong.length]
      const changed = document.clone()
      changed.setIn(path, value)
      const { manifests } = parseManifests(file, stringify(changed.toJS()))
      for (const { place, message } of diagnose(manifests, rules))
        assert.ok(
          place.line >= 1 && !message.includes('undefined') && !message.includes('NaN'),
          `${file} ${path.join('.')}: ${message}`,
        )
      tried += 1
    }
  }
  assert.ok(tried > 800, `${tried} tried`)
})

test('aliases that multiply, a tab, and what is no object are no crash', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
    .split('')
    .map((name, at) => `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefg'[at]}`).join(',')}]`)
    .join('\n')}\nkind: X\n`
  assert.equal(parseManifests('bomb.yaml', bomb).findings[0]?.rule, 'unreadable')
  assert.equal(parseManifests('tab.yaml', 'kind:\tX\n\ta: b\n').findings[0]?.rule, 'unreadable')
  for (const text of ['', '---\n---\n', '[]', '1', 'kind: 5', '# nothing'])
    assert.deepEqual(parseManifests('nothing.yaml', text), { manifests: [], findings: [] })
})
