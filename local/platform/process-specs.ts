// How each function runs here: its own process, its main.ts, its ports, its environment. The same main.ts runs in a cluster.

import { join } from 'node:path'
import type { AnyFunction } from '../../shared/function/index.ts'
import { allotPorts, type ProcessSpec } from '../runner/index.ts'

export interface ProcessSpecOptions {
  readonly root: string
  readonly functions: readonly AnyFunction[]
  /** Processes of a function, where not one. Sources and the lane driver know the first; callers may use any. */
  readonly instances: Readonly<Record<string, number>>
  readonly gatewayPort: number
  /** Where a function is reached when something stands before its processes. Default: its first process. */
  readonly entrances: Readonly<Record<string, string>>
  /** For every process, beside its own ports. */
  readonly env: Readonly<Record<string, string>>
  /** Failpoints by process. A process has them in its first run only, so that it recovers. */
  readonly failpoints: Readonly<Record<string, string>>
  readonly logFolder: string
}

export interface PlannedProcess {
  readonly spec: ProcessSpec
  readonly url: string
  readonly operationsUrl: string
}

/** A young generation of 2 MiB: many small processes on one machine, where memory is dearer than the last bit of speed. */
const smallHeap = '--max-semi-space-size=2'
/** Of a person who waits, where the environment does not say otherwise. In milliseconds. */
const drainWithinMs = 4_000
/** Beyond that a process that hangs is killed. */
const killAfterMs = 1_000

export async function planProcesses(options: ProcessSpecOptions): Promise<readonly PlannedProcess[]> {
  const { functions, instances, entrances, gatewayPort, env, failpoints, root, logFolder } = options
  const shutdownTimeoutMs = env['SHUTDOWN_TIMEOUT_MS'] ?? String(drainWithinMs)
  const named = functions.flatMap(({ name }) =>
    Array.from({ length: instances[name] ?? 1 }, (_, index) => ({
      function: name,
      name: index === 0 ? name : `${name}-${index + 1}`,
    })),
  )
  const ports = await allotPorts(named.length * 2)
  const planned = named.map((one, index) => {
    const port = one.name === 'gateway' ? gatewayPort : (ports[index * 2] ?? 0)
    return { ...one, port, operationsPort: ports[index * 2 + 1] ?? 0, url: `http://127.0.0.1:${port}` }
  })
  const functionUrls = planned
    .filter((one) => one.name === one.function)
    .map((one) => `${one.function}=${entrances[one.function] ?? one.url}`)
  const memory = planned.find((one) => one.name === 'memory-service')
  const memoryUrl = memory === undefined ? {} : { MEMORY_SERVICE_URL: entrances['memory-service'] ?? memory.url }
  return planned.map(({ name, function: code, port, operationsPort, url }) => {
    const armed = failpoints[name]
    const operationsUrl = `http://127.0.0.1:${operationsPort}`
    return {
      url,
      operationsUrl,
      spec: {
        name,
        function: code,
        file: process.execPath,
        args: [smallHeap, join('functions', code, 'main.ts')],
        cwd: root,
        env: {
          ...memoryUrl, // what the environment names stands before it
          ...env,
          PORT: String(port),
          SLUICE_OPERATIONS_PORT: String(operationsPort),
          SLUICE_FUNCTION_URLS: functionUrls.join(','),
          SHUTDOWN_TIMEOUT_MS: shutdownTimeoutMs,
        },
        firstRunEnv: armed === undefined ? {} : { SLUICE_TEST_MODE: 'true', SLUICE_FAILPOINTS: armed },
        readyUrl: `${operationsUrl}/ready`,
        logPath: join(logFolder, `${name}.log`),
        stopWithinMs: Number(shutdownTimeoutMs) + killAfterMs,
      },
    }
  })
}
