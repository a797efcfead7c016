// Prints how many modules of OpenTelemetry's SDK a process has loaded, without an endpoint and with one. (prom-client brings
// the API, which does nothing by itself.)

import { registerHooks } from 'node:module'

const loaded = new Set<string>()
registerHooks({
  load: (url, context, next) => {
    if (/\/@opentelemetry\/(?!api\/)/.test(url)) loaded.add(url)
    return next(url, context)
  },
})
const { createInstruments, createLogger, createRedact, createTracing } =
  await import('../../../shared/telemetry/index.ts')
const { loadConfig } = await import('../../../shared/config/index.ts')
const { systemClock: clock } = await import('../../../shared/time/index.ts')
await import('../../../shared/function/index.ts')

const log = createLogger({ function: 'f', level: 'silent' })
const deps = { clock, log, instruments: createInstruments({ function: 'f' }), redact: createRedact() }
await createTracing({ function: 'f', config: loadConfig({}) }, deps)
process.stdout.write(`packages without an endpoint: ${loaded.size}\n`)
const config = loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
await createTracing({ function: 'f', config }, deps)
process.stdout.write(`with an endpoint: ${loaded.size}\n`)
process.exit(0)
