// One tool.call.requested in, exactly one tool.call.finished out, whatever the tool does.
//
// E1  The call is judged again here (catalogue, schema, deadline): the event may be old, or not from our worker at all.
// E2  A finished tool does not run again: its outcome is journalled before anything is reported. After a crash a `once`
//     tool is reported as `unknown`, the others run again.

import type { Queryable } from '../../shared/database/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { toolCallFinished, type ToolCallFinished } from '../../shared/events/index.ts'
import type { Handler } from '../../shared/function/index.ts'
import { inSpan, noTracer, type Instruments, type Tracer } from '../../shared/telemetry/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import { toolExecutor } from './function.ts'
import type { Tool } from './tool.ts'
import { failed, type Toolbox, type ToolOutcome } from './toolbox.ts'

export interface Deps {
  readonly toolbox: Toolbox
  readonly database: Queryable
  readonly clock: Clock
  readonly instruments: Pick<Instruments, 'toolCalls'>
  /** Default: nobody records spans. */
  readonly tracer?: Tracer
}

type Context = Parameters<Handler<typeof toolExecutor>>[1]
type Request = Parameters<Handler<typeof toolExecutor>>[0]['data']

export function createHandler({
  toolbox,
  database,
  clock,
  instruments,
  tracer = noTracer,
}: Deps): Handler<typeof toolExecutor> {
  return async ({ data }, context) => {
    const outcome = await settle(data, context)
    await context.commit(async ({ emit }) => {
      emit(toolCallFinished, finished(data, outcome), { key: data.session_id, sessionId: data.session_id })
    })
    instruments.toolCalls.inc({ outcome: outcome.status })
    context.log.info({ tool: data.tool, call: data.call_id, outcome: outcome.status }, 'tool call finished')
  }

  async function settle(data: Request, context: Context): Promise<ToolOutcome> {
    const found = toolbox.find(data.tool)
    if (found === undefined) return failed('failed', 'unknown_tool', 'There is no tool of this name')
    const refusal = found.refusal(data.arguments)
    if (refusal !== undefined) return refusal
    if (data.deadline_at !== undefined && Date.parse(data.deadline_at) <= clock.now()) {
      return failed('timed_out', 'deadline_exceeded', 'The turn was over before the tool could start')
    }
    if (!(await isEnabled(database, context.tenant, data.tool))) {
      return failed('blocked', 'tool_disabled', 'The tool is switched off')
    }
    return runOnce(found.tool, data, context)
  }

  async function runOnce(tool: Tool, data: Request, context: Context): Promise<ToolOutcome> {
    const { effect } = tool
    const run = ({ idempotencyKey, signal }: { readonly idempotencyKey: string; readonly signal: AbortSignal }) =>
      inSpan(
        tracer,
        () => toolSpan(data),
        async (span) => {
          const outcome = await toolbox.run(tool, {
            args: data.arguments,
            tenant: context.tenant,
            idempotencyKey,
            signal,
          })
          span.set({ 'sluice.outcome': outcome.status })
          if (outcome.status !== 'succeeded') span.fail(outcome.error.code)
          return outcome
        },
      )
    try {
      if (effect !== 'once') return await context.step('run', { effect }, run)
      const once = await context.step('run', { effect }, run)
      if (once.outcome === 'known') return once.value
      return failed(
        'unknown',
        'attempts_exhausted',
        'The tool was started, and whether it finished is not known; it is not started again',
      )
    } catch (error) {
      // A full bulkhead is worth waiting for, but the conversation must get its answer before the event runs out of attempts.
      const full = error instanceof SluiceError && error.code === 'overloaded'
      if (!full || context.attempt < toolExecutor.delivery.attempts) throw error
      return failed('circuit_open', 'overloaded', 'Too many calls of this tool run at once')
    }
  }
}

/** By OpenTelemetry's conventions for generative AI. Arguments and result are content, and no telemetry. */
const toolSpan = ({ tool, call_id }: Request) => ({
  name: `execute_tool ${tool}`,
  attributes: {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    'gen_ai.tool.type': 'function',
    'gen_ai.tool.call.id': call_id,
  },
})

// A tool without a row is on: the catalogue switches off, and what exists is decided by tools/.
async function isEnabled(database: Queryable, tenant: string, tool: string): Promise<boolean> {
  const { rows } = await database.query<{ enabled: boolean }>(enabledSql, [tenant, tool])
  return rows[0]?.enabled ?? true
}

const enabledSql = `
  SELECT enabled FROM agent.tool_catalog WHERE tool = $2 AND tenant IN ($1, '*') ORDER BY tenant = '*' LIMIT 1`

function finished({ session_id, turn_id, call_id, tool }: Request, outcome: ToolOutcome): ToolCallFinished {
  const call = { session_id, turn_id, call_id, tool, status: outcome.status }
  return outcome.status === 'succeeded' ? { ...call, result: outcome.result } : { ...call, error: outcome.error }
}
