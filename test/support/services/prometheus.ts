// Prometheus and its promtool for tests: from the machine, or from Debian's package unpacked into the project's cache. The package
// wants JavaScript for its pages as well, which nobody looks at here.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projectCache } from '../places.ts'
import { unpackDebianPackages } from './debian-packages.ts'
import { findFirst, type Found, type Source } from './found.ts'
import { isExecutable, onPath } from './machine.ts'

/** Paths of the programs. */
export interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
}

export const findPrometheus = (): Promise<Found<PrometheusPrograms>> =>
  findFirst('Prometheus', [installed, unpackedFromDebian])

const installed: Source<PrometheusPrograms> = {
  name: 'the machine',
  find: async () => {
    const [prometheus, promtool] = [onPath('prometheus'), onPath('promtool')]
    if (prometheus === undefined || promtool === undefined) return { missing: 'no prometheus on the PATH' }
    return { prometheus, promtool }
  },
}

const unpackedFromDebian: Source<PrometheusPrograms> = {
  name: "Debian's package",
  find: async () => {
    const folder = join(projectCache, 'prometheus', `debian-${process.arch}`)
    const [prometheus = '', promtool = ''] = ['prometheus', 'promtool'].map((name) => join(folder, 'usr', 'bin', name))
    if (!existsSync(folder)) {
      if (onPath('apt-get') === undefined || onPath('dpkg') === undefined) return { missing: 'this is not Debian' }
      await unpackDebianPackages(folder, ['prometheus'])
    }
    if (!isExecutable(prometheus)) return { missing: `${folder} holds no prometheus; remove it to try again` }
    return { prometheus, promtool }
  },
}
