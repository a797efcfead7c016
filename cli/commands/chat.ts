// `sluice chat`: a conversation in the terminal, or over a pipe, where each line is a message.

import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { parseArgs, styleText } from 'node:util'
import { sendMessage } from '../../local/conversation-client/index.ts'
import { messageOf } from '../../shared/errors/index.ts'
import { systemClock } from '../../shared/time/index.ts'
import type { Command } from '../command.ts'
import { gatewayAddress } from '../find-platform.ts'
import { showTurn } from '../show-turn.ts'

export const command: Command = {
  summary: 'Chats with the agent in the terminal',
  usage: `Usage: sluice chat [options]

A message a line; the answer is shown while it is written, with its tools and its trace id, and with what recovered when
a process failed on the way. Ctrl-D or Ctrl-C ends the chat, not the platform. Works over a pipe as well.

  --session ID   go on with a conversation (default: a new one)
  --url URL      the gateway (default: that of npm start)`,
  run: chat,
}

async function chat(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { session: { type: 'string' }, url: { type: 'string' } } })
  const gatewayUrl = gatewayAddress(values.url)
  const sessionId = values.session ?? `chat-${randomUUID()}`
  const quit = new AbortController()
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY
  const lines = createInterface({
    input: process.stdin,
    ...(isTerminal ? { output: process.stdout, prompt: 'you › ' } : {}),
  })
  lines.once('close', () => isTerminal && quit.abort())
  lines.once('SIGINT', () => lines.close())

  note(`session ${sessionId} at ${gatewayUrl}`)
  let after = 0
  let failed = false
  if (isTerminal) lines.prompt()
  for await (const line of lines) {
    if (line.trim() !== '') {
      try {
        const end = await oneTurn({ gatewayUrl, sessionId, after, message: line, signal: quit.signal })
        after = end.position
        failed = end.kind === 'failed'
      } catch (error) {
        if (quit.signal.aborted) break
        failed = true
        note(messageOf(error))
      }
    }
    if (isTerminal) lines.prompt()
  }
  if (isTerminal) process.stdout.write('\n')
  return failed && !isTerminal ? 1 : 0
}

interface TurnRequest {
  readonly gatewayUrl: string
  readonly sessionId: string
  readonly after: number
  readonly message: string
  readonly signal: AbortSignal
}

async function oneTurn(request: TurnRequest): ReturnType<typeof showTurn> {
  const { turnId, traceId } = await sendMessage(request, { clock: systemClock })
  note(`trace ${traceId}`)
  let atLineStart = true
  const text = (piece: string): void => {
    if (piece === '') return
    process.stdout.write(piece)
    atLineStart = piece.endsWith('\n')
  }
  return showTurn(
    { ...request, turnId },
    {
      text,
      note: (line) => {
        if (!atLineStart) text('\n')
        note(line)
      },
    },
  )
}

const note = (line: string): void => console.log(styleText('dim', `  · ${line}`))
