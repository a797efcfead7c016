// I12: what a process holds stays bounded. Measured when the platform is warm; compared after each fault.

import assert from 'node:assert/strict'
import { openFiles, processMemory } from '../../support/process-state.ts'
import { until } from '../../support/until.ts'

export interface Bounds {
  /** Takes the measure of the warm platform. */
  measure(): void
  /** @throws AssertionError naming the process that holds too much. */
  judged(): Promise<string>
}

export interface BoundedProcess {
  readonly name: string
  readonly pid: () => number | undefined
}

interface Holding {
  readonly memory: number
  readonly files: number
}

const mostMemory = 1.5
/** MiB. V8 collects nothing old before a process has grown to about this, so a smaller one counts as so large. */
const leastWarm = 160
const mostFiles = 1.1
/**
 * Connections of a pool come and go, and a process without work when it was measured had none of its ten, nor those to the
 * brokers: this many more are no leak. What leaks grows from case to case.
 */
const spareFiles = 28
const settlesWithinMs = 15_000

export function createBounds(processes: readonly BoundedProcess[]): Bounds {
  const warm = new Map<string, Holding>()
  const holdingOf = ({ pid }: BoundedProcess): Holding => {
    const id = pid() ?? 0
    return { memory: processMemory(id), files: openFiles(id) }
  }
  const excess = (): string | undefined => {
    for (const one of processes) {
      const [before, now] = [warm.get(one.name), holdingOf(one)]
      if (before === undefined) continue
      const memory = `${now.memory.toFixed(0)} MiB, warm ${before.memory.toFixed(0)}`
      if (now.memory > Math.max(before.memory, leastWarm) * mostMemory) return `${one.name} holds ${memory}`
      if (now.files > before.files * mostFiles + spareFiles)
        return `${one.name} has ${now.files} files open, warm ${before.files}`
    }
    return undefined
  }
  return {
    measure: () => {
      for (const one of processes) warm.set(one.name, holdingOf(one))
    },
    judged: async () => {
      let last: string | undefined
      await until('what processes hold is bounded', () => (last = excess()) === undefined, {
        limitMs: settlesWithinMs,
        everyMs: 250,
      }).catch(() => assert.fail(last))
      const holdings = processes.map(holdingOf)
      const most = (what: keyof Holding): string => Math.max(...holdings.map((one) => one[what])).toFixed(0)
      return `at most ${most('memory')} MiB and ${most('files')} files`
    },
  }
}
