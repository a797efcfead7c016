// Shows one turn while it happens: its text on one stream, everything else on another.

import { createTurnView, followSession, type TurnNews } from '../local/conversation-client/index.ts'
import { systemClock } from '../shared/time/index.ts'
import { terminalText } from './terminal-text.ts'

export interface TurnOutput {
  /** The answer, as it grows. */
  readonly text: (text: string) => void
  /** One line about what goes on. */
  readonly note: (line: string) => void
}

export interface ShowTurnOptions {
  readonly gatewayUrl: string
  readonly sessionId: string
  readonly turnId: string
  readonly after: number
  readonly signal: AbortSignal
}

export type TurnEnd =
  | { readonly kind: 'completed'; readonly position: number }
  | { readonly kind: 'failed'; readonly position: number }

/** Resolves when the turn has ended. Rejects with the signal's reason when it aborts first. */
export async function showTurn(options: ShowTurnOptions, output: TurnOutput): Promise<TurnEnd> {
  const view = createTurnView(options.turnId)
  let position = options.after
  for await (const item of followSession(options, { clock: systemClock })) {
    if (item.kind === 'event') position = item.position
    for (const news of view.take(item)) {
      show(news, output)
      if (news.kind === 'completed' || news.kind === 'failed') return { kind: news.kind, position }
    }
  }
  throw options.signal.reason
}

function show(news: TurnNews, output: TurnOutput): void {
  const text = (piece: string): void => output.text(terminalText(piece))
  const note = (line: string): void => output.note(terminalText(line))
  switch (news.kind) {
    case 'text':
      text(news.text)
      return
    case 'restarted':
      if (news.shown) text('\n')
      note(`model step was restarted (attempt ${news.attempt})`)
      return
    case 'model-retried':
      note(`the model failed (${news.detail}); it is asked again`)
      return
    case 'tool-started':
      note(`tool ${news.tool} …`)
      return
    case 'tool-finished':
      note(`tool ${news.tool}: ${news.status}`)
      return
    case 'away':
      note(`the gateway is away (${news.reason}); the turn goes on`)
      return
    case 'back':
      note(`the gateway is back; the stream goes on after event ${news.afterPosition}`)
      return
    case 'completed':
      text(`${news.rest}\n`)
      return
    case 'failed':
      note(`the turn failed: ${news.reason}${news.detail === '' ? '' : ` (${news.detail})`}`)
  }
}
