// A folder for one test, removed at its end.

import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'

/** The real path of a new folder. Other accounts may pass through it, as through a project below an ordinary home. */
export function temporaryFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-test-')))
  chmodSync(folder, 0o711)
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
