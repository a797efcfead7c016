// `sluice send`: one message, its turn on standard output.

import { parseArgs } from 'node:util'
import { sendMessage } from '../../local/conversation-client/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import { systemClock } from '../../shared/time/index.ts'
import type { Command } from '../command.ts'
import { gatewayAddress } from '../find-platform.ts'
import { showTurn, type TurnOutput } from '../show-turn.ts'

export const command: Command = {
  summary: 'Sends one message and prints the turn',
  usage: `Usage: sluice send [options] "message"

Prints the answer on standard output while it is written, and tools and the trace id on standard error.
Exits 0 when the turn completed, 1 when it failed or took too long.

  --session ID   the conversation (default: a new one)
  --timeout N    seconds to wait for the end of the turn (default: 180)
  --url URL      the gateway (default: that of npm start)

  npx sluice send "What is 17*23, and what time is it in Lima?"`,
  run: send,
}

async function send(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { session: { type: 'string' }, timeout: { type: 'string', default: '180' }, url: { type: 'string' } },
  })
  const [message, ...more] = positionals
  if (message === undefined || more.length > 0) {
    console.error(`sluice send: expected one message in quotes\n\n${command.usage}`)
    return 2
  }
  const seconds = Number(values.timeout)
  if (!(seconds > 0)) throw new SluiceError('invalid_option', `--timeout ${values.timeout}: expected seconds`)
  const gatewayUrl = gatewayAddress(values.url)
  const signal = AbortSignal.timeout(seconds * 1_000)
  const output: TurnOutput = {
    text: (text) => void process.stdout.write(text),
    note: (line) => console.error(`· ${line}`),
  }
  try {
    const session = values.session === undefined ? {} : { sessionId: values.session }
    const { sessionId, turnId, traceId } = await sendMessage(
      { gatewayUrl, message, signal, ...session },
      { clock: systemClock },
    )
    output.note(`session ${sessionId}, trace ${traceId}`)
    const end = await showTurn({ gatewayUrl, sessionId, turnId, after: 0, signal }, output)
    return end.kind === 'completed' ? 0 : 1
  } catch (error) {
    if (!signal.aborted) throw error
    throw new SluiceError('deadline_exceeded', `the turn did not end within ${values.timeout} s`, { cause: error })
  }
}
