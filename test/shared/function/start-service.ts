// A whole function in the process of the test: real database, real ports, its log at hand.

import type { TestContext } from 'node:test'
import { loadConfig } from '../../../shared/config/index.ts'
import type { AnyFunction, Behaviour } from '../../../shared/function/index.ts'
import { startService, type Service } from '../../../shared/function/start-service.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock } from '../../../shared/time/index.ts'
import { atEnd } from '../../support/index.ts'

export interface ServiceOfTest extends Service {
  records(): readonly Record<string, unknown>[]
}

export async function startServiceOfTest<F extends AnyFunction>(
  t: TestContext,
  definition: F,
  { behaviour, env = {} }: { readonly behaviour: Behaviour<F>; readonly env?: Readonly<Record<string, string>> },
): Promise<ServiceOfTest> {
  let text = ''
  const log = createLogger(
    { function: definition.name, level: 'info' },
    { write: (line: string) => void (text += line) },
  )
  const config = loadConfig({ PORT: '0', SLUICE_OPERATIONS_PORT: '0', ...env })
  const signal = new AbortController().signal
  const service = await startService(definition, behaviour, { config, clock: systemClock, log, signal })
  atEnd(t, async () => {
    await service.drain({ totalMs: 3_000 })
    await service.close({ withinMs: 0 })
  })
  const records = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { ...service, records }
}
