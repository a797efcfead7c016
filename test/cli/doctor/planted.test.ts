// Every trap of test/fixtures/doctor is found, by its rule and at its line: `# ✗ rule` stands where a finding is wanted. What is
// not marked may be noted, but is no error and no warning.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { diagnose, readManifests, rules } from '../../../cli/doctor/index.ts'
import { projectRoot } from '../../support/places.ts'

const folder = join(projectRoot, 'test/fixtures/doctor')
const files = globSync('*.yaml', { cwd: folder }).toSorted()
const noInput = () => ''

const wanted = (file: string): readonly string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, at) =>
      (line.split('# ✗ ')[1] ?? '').split(', ').flatMap((rule) => (rule === '' ? [] : [`${at + 1} ${rule}`])),
    )

for (const file of files) {
  test(`${basename(file, '.yaml')}: what is planted is found at its line, and nothing else`, () => {
    const path = join(folder, file)
    const { manifests, findings: unread } = readManifests([path], noInput)
    const findings = [...unread, ...diagnose(manifests, rules)]
    const found = findings.map(({ place, rule, level }) => ({ at: `${place.line} ${rule}`, level }))
    const marked = wanted(path)
    const shown = found.filter(({ at, level }) => level !== 'note' || marked.includes(at)).map(({ at }) => at)
    assert.deepEqual(shown.toSorted(), marked.toSorted())
    for (const { message, remedy } of findings) assert.ok(message.length > 10 && remedy.length > 2, message)
  })
}

test('each rule has a planted trap, and read as one folder all of them are found', () => {
  const { manifests, findings: unread } = readManifests([folder], noInput)
  const found = [...unread, ...diagnose(manifests, rules)]
  const places = new Set(found.map(({ place, rule }) => `${place.file}:${place.line} ${rule}`))
  const planted = files.flatMap((file) => wanted(join(folder, file)).map((at) => `${join(folder, file)}:${at}`))
  assert.ok(planted.length >= 60, `only ${planted.length} traps`)
  assert.deepEqual(
    planted.filter((at) => !places.has(at)),
    [],
  )
  const withTrap = new Set(planted.map((at) => at.split(' ').at(-1)))
  assert.deepEqual(
    rules.map(({ id }) => id).filter((id) => !withTrap.has(id)),
    [],
  )
})

test('a rule has a name of its own, a sentence and a reference', () => {
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length)
  for (const { id, summary, references } of rules) {
    assert.match(id, /^[a-z]+(?:-[a-z]+)+$/)
    assert.match(summary, /\.$/)
    assert.ok(references.length > 0, id)
  }
})

test('what the rules refer to in docs/kafka-source.md is there', () => {
  const page = readFileSync(join(projectRoot, 'docs/kafka-source.md'), 'utf8')
  const facts = rules.flatMap(({ references }) =>
    references.flatMap(({ text }) => /kafka-source\.md (K\d+)/.exec(text)?.[1] ?? []),
  )
  assert.ok(facts.length > 10)
  for (const fact of facts) assert.ok(page.includes(`**${fact}**`), fact)
})
