// Restarts processes whose code changed: a change below functions/<name>/ restarts that function, one below shared/ restarts all,
// one after the other so that the platform stays usable. A burst of changes counts once. Schemas count when what is generated
// from them changes; migrations wait for the next start.

import { watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import type { Component } from '../../shared/lifecycle/index.ts'
import type { Clock, Timer } from '../../shared/time/index.ts'
import type { SupervisedProcess } from './supervised-process.ts'

export interface WatchOptions {
  /** The project folder. */
  readonly root: string
  readonly processes: readonly SupervisedProcess[]
}

/** Editors write a file in several steps. */
const quietMs = 150
const relevant = /\.(?:ts|js|json)$/

export function createSourceWatch({ root, processes }: WatchOptions, { clock }: { readonly clock: Clock }): Component {
  const changed = new Map<string, string>() // by function name, or '*': the file that changed
  let watchers: readonly FSWatcher[] = []
  let timer: Timer | undefined
  let working: Promise<void> = Promise.resolve()

  function note(target: string, file: string): void {
    changed.set(target, file)
    timer?.cancel()
    timer = clock.after(quietMs, () => {
      working = working.then(restartChanged)
    })
  }

  async function restartChanged(): Promise<void> {
    const batch = new Map(changed)
    changed.clear()
    for (const one of processes) {
      const file = batch.get(one.spec.function) ?? batch.get('*')
      if (file !== undefined) await one.restart(`${file} changed`)
    }
  }

  const watchFolder = (folder: string, targetOf: (file: string) => string): FSWatcher =>
    watch(join(root, folder), { recursive: true }, (_, file) => {
      if (file !== null && relevant.test(file)) note(targetOf(file), join(folder, file))
    })

  return {
    name: 'source watch',
    health: () => ({ status: 'up' }),
    start: () => {
      watchers = [watchFolder('functions', (file) => file.split(/[/\\]/)[0] ?? '*'), watchFolder('shared', () => '*')]
      return Promise.resolve()
    },
    stop: async () => {
      timer?.cancel()
      for (const watcher of watchers) watcher.close()
      watchers = []
      await working
    },
  }
}
