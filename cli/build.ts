// `npm run build`: what the image holds beside Node, in dist/, or elsewhere with `npm run build -- FOLDER`:
//
//   main.js                    the entry: FUNCTION_TARGET, or a sluice command (cli/image/main.ts)
//   functions/<name>/main.js   a bundle for each function; what several use, and what is loaded on demand, in functions/chunks/
//   cli/main.js                the sluice command
//   schemas/database/          the migrations
//   .compile-cache/            their code, compiled; valid in this folder and for this version of Node
//
// A size per function is printed, because an import too many shows there first.

import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, type BuildOptions, type Metafile } from 'esbuild'
import { bundleOptions } from './image/bundle-options.ts'
import { writeCompileCache } from './image/write-compile-cache.ts'
import { projectRoot } from './project.ts'

const target = resolve(process.argv[2] ?? join(projectRoot, 'dist'))

const names = readdirSync(join(projectRoot, 'functions')).filter((name) =>
  existsSync(join(projectRoot, 'functions', name, 'main.ts')),
)
if (names.length === 0) throw new Error('there is no function with a main.ts to build')

const common: BuildOptions = { ...bundleOptions, absWorkingDir: projectRoot, logLevel: 'warning' }

rmSync(target, { recursive: true, force: true })
const started = performance.now()
// Chunks lie two folders deep, as the sources do in shared/<module>/, so that paths relative to a file stay true.
const functions = await build({
  ...common,
  entryPoints: Object.fromEntries(names.map((name) => [`${name}/main`, `functions/${name}/main.ts`])),
  outdir: join(target, 'functions'),
  chunkNames: 'chunks/[name]-[hash]',
  metafile: true,
})
await build({ ...common, entryPoints: ['cli/main.ts'], outdir: join(target, 'cli') })
await build({ ...common, splitting: false, entryPoints: ['cli/image/main.ts'], outfile: join(target, 'main.js') })
cpSync(join(projectRoot, 'schemas', 'database'), join(target, 'schemas', 'database'), { recursive: true })
writeFileSync(join(target, 'package.json'), '{"type":"module"}\n')

for (const name of names) console.log(`${name.padEnd(24)} ${kibibytes(loadedBytes(functions.metafile, name))}`)
const compiled = await writeCompileCache(target)
console.log(`${names.length} functions built, ${compiled} files compiled, in ${seconds(started)} s`)

/** Bytes that the process of a function loads before it does anything: its file and what that imports, and so on. */
function loadedBytes({ outputs }: Metafile, name: string): number {
  const files = Object.keys(outputs)
  const seen = new Set(files.filter((file) => file.endsWith(join('functions', name, 'main.js'))))
  for (const file of seen) {
    for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') seen.add(path)
  }
  return [...seen].reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0)
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1_024).toFixed(0).padStart(6)} KiB`
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1)
}
