// `npm run build`: one file for each function, dist/<name>/main.js, with everything it needs, for an image that holds Node and
// nothing else. `npm run build -- FOLDER` builds elsewhere. A size per function is printed, because an import too many shows there first.

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = resolve(process.argv[2] ?? join(root, 'dist'))

// Some packages are CommonJS inside and call require(), which an ES module does not have.
const banner = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`

const names = readdirSync(join(root, 'functions')).filter((name) =>
  existsSync(join(root, 'functions', name, 'main.ts')),
)
if (names.length === 0) throw new Error('there is no function with a main.ts to build')

rmSync(target, { recursive: true, force: true })
const started = performance.now()
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(names.map((name) => [`${name}/main`, `functions/${name}/main.ts`])),
  outdir: target,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  banner: { js: banner },
  external: ['pg-native'], // an optional driver that pg asks for and does without
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
})
writeFileSync(join(target, 'package.json'), '{"type":"module"}\n')
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  if (file.endsWith('.js')) console.log(`${file.padEnd(40)} ${(bytes / 1_024).toFixed(0).padStart(6)} KiB`)
}
console.log(`${names.length} functions built in ${((performance.now() - started) / 1_000).toFixed(1)} s`)
