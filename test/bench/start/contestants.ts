// What is started: each as it runs in production. Our function is bundled and has a compile cache, as `npm run build` makes them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleOptions } from '../../../cli/image/bundle-options.ts'
import { firstAnswer, waitForAnswer } from './first-answer.ts'

export interface Contestant {
  readonly name: 'raw' | 'slim' | 'ff'
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Answers 200 when it takes work. */
  readonly path: string
}

const raw = `import { createServer } from 'node:http'
createServer((request, response) => { request.resume(); response.end('ok') }).listen(Number(process.env.PORT), '127.0.0.1')
`
const hello = `exports.hello = (request, response) => response.send('ok')\n`

export async function prepareContestants(folder: string, port: number): Promise<readonly Contestant[]> {
  writeFileSync(join(folder, 'raw.mjs'), raw)
  writeFileSync(join(folder, 'package.json'), '{"main":"hello.cjs"}')
  writeFileSync(join(folder, 'hello.cjs'), hello)
  await build({
    entryPoints: { slim: join(import.meta.dirname, 'slim-function.ts') },
    outdir: join(folder, 'slim'),
    outExtension: { '.js': '.mjs' },
    ...bundleOptions,
    logLevel: 'error',
  })
  const node = process.execPath
  const framework = createRequire(import.meta.url).resolve('@google-cloud/functions-framework')
  const ffMain = join(framework, '..', 'main.js')
  const slim: Contestant = {
    name: 'slim',
    command: [node, join(folder, 'slim', 'slim.mjs')],
    env: { NODE_COMPILE_CACHE: join(folder, 'compile-cache'), SLUICE_OPERATIONS_PORT: '0' },
    path: '/ready',
  }
  await writeCompileCache(slim, port)
  return [
    { name: 'raw', command: [node, join(folder, 'raw.mjs')], env: {}, path: '/' },
    slim,
    { name: 'ff', command: [node, ffMain, '--target', 'hello', '--source', folder], env: {}, path: '/' },
  ]
}

/** Node writes the cache when a process ends by itself. */
async function writeCompileCache(
  { command: [file = '', ...args], env, path }: Contestant,
  port: number,
): Promise<void> {
  const child = spawn(file, args, { env: { ...env, PORT: String(port) }, stdio: 'ignore' })
  await waitForAnswer(() => firstAnswer(port, path), 30_000)
  child.kill('SIGTERM')
  await once(child, 'exit')
}
