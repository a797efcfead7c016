// What a tool is. One file in tools/ each; tools/index.ts is the only list of them.

import type { StepEffect } from '../../shared/delivery/index.ts'
import type { Memory } from '../../shared/memory/index.ts'
import type { Judgement, UntrustedOutbound } from '../../shared/resilience/index.ts'
import type { Clock } from '../../shared/time/index.ts'

export interface ToolLimits {
  /** Longest run, in milliseconds; then the call ends as `timed_out`. */
  readonly timeoutMs: number
  /** Calls of this tool that one process runs at once; more wait in their lanes. */
  readonly concurrent: number
}

export interface ToolRun {
  /** Aborts when the tool's time is up or the run of the event is no longer wanted. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Whose call it is. */
  readonly tenant: string
  /** Absent where no memory-service is configured. */
  readonly memory: Pick<Memory, 'recall'> | undefined
  /** Reaches public hosts only. */
  readonly outbound: UntrustedOutbound
  /** The same for every run of this call. A tool of effect `idempotent` hands it to the other side. */
  readonly idempotencyKey: string
}

export interface Tool<Arguments = never> {
  readonly name: string
  /** What the model reads to decide whether to call it. */
  readonly description: string
  /** JSON Schema of the arguments; closed, so that a misspelt argument is told to the model and not ignored. */
  readonly parameters: ToolParameters
  /** What a crash means for a call: see `StepEffect`. */
  readonly effect: StepEffect
  readonly limits: ToolLimits
  /** What an error says about the tool's health. Default: `judgeError`; a caller's mistake never opens the breaker. */
  readonly judge?: (error: unknown) => Judgement
  /** Any JSON up to the result limit. A thrown SluiceError tells the model its code and message. */
  readonly run: (args: Arguments, run: ToolRun) => Promise<unknown>
}

export interface ToolParameters {
  readonly type: 'object'
  readonly additionalProperties: false
  readonly required: readonly string[]
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** A tool whose arguments the schema has let through. `Arguments` must say what `parameters` says. */
export const defineTool = <Arguments>(tool: Tool<Arguments>): Tool => tool
