// Programs from Debian's packages, unpacked into the project's cache without installing anything.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { command } from './machine.ts'

/**
 * Fills `folder` unless it is there already; test files that do so at the same time do not disturb each other.
 * `finish` gets the unpacked tree before anyone else sees it.
 */
export async function unpackDebianPackages(
  folder: string,
  packages: readonly string[],
  finish: (unpacked: string) => void = () => undefined,
): Promise<void> {
  const unfinished = `${folder}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    const download = (): Promise<string> =>
      command('apt-get', ['download', '--quiet', ...packages], { cwd: unfinished, limitMs: 120_000 })
    await download().catch(async (error: unknown) => {
      if (process.getuid?.() !== 0) throw error
      await command('apt-get', ['update', '--quiet'], { limitMs: 120_000 })
      await download()
    })
    const archives = readdirSync(unfinished).filter((name) => name.endsWith('.deb'))
    for (const archive of archives) await command('dpkg', ['-x', archive, '.'], { cwd: unfinished, limitMs: 120_000 })
    for (const archive of archives) rmSync(`${unfinished}/${archive}`)
    finish(unfinished)
    renameSync(unfinished, folder)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}
