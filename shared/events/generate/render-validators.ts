// Validators compiled at build time: ajv's standalone code, bundled to one ES module without imports. ajv itself is not
// loaded by a function: compiling one schema costs 14-20 ms of start, and ajv's own output still calls `require`.

import { createRequire } from 'node:module'
import { Ajv2020 } from 'ajv/dist/2020.js'
import standaloneModule from 'ajv/dist/standalone/index.js'
import formatsModule from 'ajv-formats'
import { build } from 'esbuild'
import { generatedNotice, type EventSchema } from './read-schemas.ts'

// Both packages are CommonJS with a default export besides.
const standaloneCode = standaloneModule.default
const addFormats = formatsModule.default

export async function renderValidators(schemas: readonly EventSchema[]): Promise<string> {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: true,
    allowUnionTypes: true,
    code: { source: true, esm: true, lines: true },
  })
  addFormats(ajv)
  for (const { schema } of schemas) ajv.addSchema(schema)
  const names = Object.fromEntries(schemas.map(({ constantName, type }) => [constantName, `urn:sluice:event:${type}`]))
  const bundle = await build({
    stdin: { contents: standaloneCode(ajv, names), resolveDir: import.meta.dirname, loader: 'js' },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['main'],
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    // paths in the comments of the bundle must not depend on where the project lies
    absWorkingDir: packageRoot(),
  })
  // The one mention of require that is left is a text that ajv keeps for its own generator; without it a search finds none.
  const text = bundle.outputFiles.map((file) => file.text.replace(/^ *ucs2length\.code = .*\n/m, '')).join('')
  const imports = Object.values(bundle.metafile.outputs).flatMap((output) => output.imports)
  if (imports.length > 0 || /\brequire\(/.test(text))
    throw new Error('the bundle of the validators still needs other modules')
  return `${generatedNotice}/* oxlint-disable */\n${text}`
}

export const renderValidatorTypes = (schemas: readonly EventSchema[]): string =>
  `${generatedNotice}import type { CompiledSchema } from '../event-type.ts'\n\n` +
  schemas.map(({ constantName }) => `export const ${constantName}: CompiledSchema\n`).join('')

function packageRoot(): string {
  const ajvPath = createRequire(import.meta.url).resolve('ajv/package.json')
  return ajvPath.slice(0, ajvPath.lastIndexOf('node_modules'))
}
