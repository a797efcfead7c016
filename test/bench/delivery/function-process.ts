// One of the two functions as `serve()` would run it, in a process of its own. It gets its settings by the first message.

import { loadConfig } from '../../../shared/config/index.ts'
import { startService } from '../../../shared/function/start-service.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { bareLedger, keepBareLedger, keepLedger, ledger } from './ledgers.ts'

export interface FunctionSettings {
  readonly variant: 'delivery' | 'bare'
  readonly environment: Readonly<Record<string, string>>
}

async function start({ variant, environment }: FunctionSettings): Promise<void> {
  const config = loadConfig({ PORT: '0', SLUICE_OPERATIONS_PORT: '0', ...environment })
  const deps = { config, clock, signal: new AbortController().signal }
  const { port } = await (variant === 'delivery'
    ? startService(ledger, keepLedger, deps)
    : startService(bareLedger, keepBareLedger, deps))
  process.send?.({ port })
}

process.once('message', (settings: FunctionSettings) => void start(settings))
process.send?.('ready')
