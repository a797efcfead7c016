// The rehearsal model as a process: main.ts --port N --script FILE --delay-ms N --host ADDRESS --log-level LEVEL.
// It keeps nothing, so a signal may end it at any moment.

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { SluiceError } from '../../shared/errors/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { startRehearsalModel } from './rehearsal-model.ts'
import { parseScript } from './script.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    script: { type: 'string' },
    'delay-ms': { type: 'string' },
    'log-level': { type: 'string', default: 'info' },
  },
})

const log = createLogger({ function: 'rehearsal-model', level: values['log-level'] })
const { script, host } = values
const delayMs = values['delay-ms']
const model = await startRehearsalModel({
  host,
  port: wholeNumber('--port', values.port),
  ...(delayMs === undefined ? {} : { delayMs: wholeNumber('--delay-ms', delayMs) }),
  ...(script === undefined ? {} : { script: parseScript(await readFile(script, 'utf8')) }),
})
log.info({ port: model.port, operations_port: model.port, url: model.url }, 'ready')

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new SluiceError('invalid_option', `${option}: expected a whole number, not ${text.slice(0, 20)}`)
}
