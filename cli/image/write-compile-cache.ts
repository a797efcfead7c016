// Code compiled when the image is built, so that a cold start reads it instead of compiling. Node checks each entry
// against its source and the version of V8, so a cache that does not fit is ignored, never wrong. Node writes the cache when a
// process ends, so a process loads every bundle and ends.

import { execFile } from 'node:child_process'
import { chmodSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** The user that the image runs as (Dockerfile). */
export const imageUserId = 65_532

/** Where the image has its cache; NODE_COMPILE_CACHE names it there. */
export const compileCacheFolder = (app: string): string => join(app, '.compile-cache')

/** Compiles what lies in the folder `app`, for that folder. Returns the number of compiled files. */
export async function writeCompileCache(app: string): Promise<number> {
  const env = { NODE_COMPILE_CACHE: compileCacheFolder(app) }
  const chunks = readdirSync(join(app, 'functions', 'chunks')).filter((name) => name.endsWith('.js'))
  const imports = chunks.map((name) => pathToFileURL(join(app, 'functions', 'chunks', name)).href)
  const program = `await Promise.all(${JSON.stringify(imports)}.map((file) => import(file)))`
  await runNode(['--input-type=module', '--eval', program], { cwd: app, env })
  for (const name of readdirSync(join(app, 'functions')).filter((entry) => entry !== 'chunks')) {
    // Without a database it loads itself, says so and ends.
    const options = { cwd: app, env: { ...env, FUNCTION_TARGET: name } }
    await runNode([join(app, 'main.js')], options).catch(() => undefined)
  }
  giveToImageUser(env.NODE_COMPILE_CACHE)
  return filesIn(env.NODE_COMPILE_CACHE)
}

/** Node keeps a cache for each user, readable by that user alone, in a folder <version>-<arch>-<hash of the flags>-<user id>. */
function giveToImageUser(folder: string): void {
  for (const name of readdirSync(folder)) {
    const own = join(folder, name.replace(/-\d+$/, `-${imageUserId}`))
    renameSync(join(folder, name), own)
    chmodSync(own, 0o755)
    for (const file of readdirSync(own)) chmodSync(join(own, file), 0o644)
  }
}

function filesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length
}

function runNode(args: readonly string[], options: { readonly cwd: string; readonly env: Record<string, string> }) {
  return promisify(execFile)(process.execPath, [...args], { ...options, timeout: 60_000 })
}
