// What the functions of the workload get in a process of their own: a trace of runs that survives SIGKILL, and the bank by HTTP.

import { appendFileSync } from 'node:fs'
import type { WorkloadDeps } from './functions.ts'

/** A line of the trace: this event's run began in this process at this time. */
export interface RunBegun {
  readonly actor: string
  readonly id: string
  readonly attempt: number
  readonly pid: number
  readonly at: number
}

const bankTimeoutMs = 10_000

export function processDeps(env: Readonly<Record<string, string | undefined>>): WorkloadDeps {
  const { TEST_BANK_URL: bankUrl = '', TEST_RUNS_FILE: runsFile = '' } = env
  const { pid } = process
  return {
    pid,
    onRun: (run) => {
      const begun: RunBegun = { ...run, pid, at: Date.now() }
      appendFileSync(runsFile, `${JSON.stringify(begun)}\n`)
    },
    callBank: async (call, signal) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(bankTimeoutMs)])
      const response = await fetch(bankUrl, { method: 'POST', body: JSON.stringify(call), signal: limit })
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`the bank answered ${response.status}`)
    },
  }
}
