// Generates shared/events/generated/ from schemas/events/: types, validators and the list of event types.
//   node shared/events/generate/main.ts          writes the files
//   node shared/events/generate/main.ts --check  writes nothing; exits 1 and names each file that is out of date

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSchemas } from './read-schemas.ts'
import { renderEventTypes } from './render-event-types.ts'
import { renderTypes } from './render-types.ts'
import { renderValidators, renderValidatorTypes } from './render-validators.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const target = 'shared/events/generated'

const schemas = await readSchemas(join(root, 'schemas/events'))
const files = new Map([
  ['types.ts', await renderTypes(schemas)],
  ['validators.js', await renderValidators(schemas)],
  ['validators.d.ts', renderValidatorTypes(schemas)],
  ['event-types.ts', renderEventTypes(schemas)],
])

if (process.argv.includes('--check')) {
  const drifted: string[] = []
  for (const [name, text] of files) {
    const committed = await readFile(join(root, target, name), 'utf8').catch(() => undefined)
    if (committed !== text) drifted.push(`${target}/${name}`)
  }
  process.stdout.write(`${schemas.length} schemas, ${files.size} generated files compared\n`)
  for (const path of drifted) {
    process.stderr.write(`${path} does not match schemas/events; run: node shared/events/generate/main.ts\n`)
  }
  process.exitCode = drifted.length === 0 ? 0 : 1
} else {
  await mkdir(join(root, target), { recursive: true })
  for (const [name, text] of files) await writeFile(join(root, target, name), text)
  process.stdout.write(
    `${schemas.length} schemas → ${[...files.keys()].map((name) => `${target}/${name}`).join(', ')}\n`,
  )
}
