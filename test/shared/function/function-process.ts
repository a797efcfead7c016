// A function as a real process, for tests: started from a fixture, with its ports read from its `ready` record.

import type { TestContext } from 'node:test'
import { startChild, type ChildOfTest } from '../../support/index.ts'

export interface FunctionProcess extends ChildOfTest {
  readonly port: number
  readonly operationsPort: number
  /** Its log so far, record by record. */
  records(): readonly Record<string, unknown>[]
  /** The first record, past or future, with this message. */
  record(message: string): Promise<Record<string, unknown>>
}

/** Starts the process and does not wait for anything. */
export const launchFunction = (
  t: TestContext,
  fixture: string,
  env: Readonly<Record<string, string>> = {},
): ChildOfTest =>
  startChild(t, [`test/fixtures/functions/run-${fixture}.ts`], {
    env: { PORT: '0', SLUICE_OPERATIONS_PORT: '0', ...env },
  })

/** Starts the process and waits until it is ready. */
export async function startFunction(
  t: TestContext,
  fixture: string,
  env: Readonly<Record<string, string>> = {},
): Promise<FunctionProcess> {
  const child = launchFunction(t, fixture, env)
  const ready = JSON.parse(await child.line(/"message":"ready"/)) as { port: number; operations_port: number }
  const records = () =>
    child.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    ...child,
    port: ready.port,
    operationsPort: ready.operations_port,
    records,
    record: async (message) =>
      JSON.parse(await child.line(new RegExp(`"message":"${message}"`))) as Record<string, unknown>,
  }
}
