// One of the servers that are compared, in a process of its own on the first core.

import { readFileSync } from 'node:fs'
import { firstMessage, startPinned } from './pinned-process.ts'

export interface BenchServer extends AsyncDisposable {
  readonly port: number
  /** Microseconds of CPU that the process has used; 0 where the system does not tell. */
  cpuMicros(): number
}

export async function startServer(variant: string, args: readonly string[] = []): Promise<BenchServer> {
  const { child, stop } = startPinned(`${variant}-server.ts`, 0, args)
  const { port } = await firstMessage<{ readonly port: number }>(child)
  return { port, cpuMicros: () => cpuMicrosOf(child.pid ?? 0), [Symbol.asyncDispose]: stop }
}

/** Linux counts in ticks of 10 ms: over a slice of a second that is exact enough. */
function cpuMicrosOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  } catch {
    return 0
  }
}
