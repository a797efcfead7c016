import assert from 'node:assert/strict'
import { test } from 'node:test'
import { letterLine } from '../../cli/dead-letters-view.ts'
import { showTurn } from '../../cli/show-turn.ts'
import { terminalText } from '../../cli/terminal-text.ts'
import { delta, durable, scriptedGateway } from '../local/conversation-client/scripted-gateway.ts'

test('control characters and direction marks are shown and not obeyed; the rest stays', () => {
  assert.equal(terminalText('a\u001b[31mb\u0007c\u007fd\u009b2Je\u202ef'), 'a␛[31mb␇c␡d\ufffd2Je\ufffdf')
  const ordinary = 'Zeile 1\nZeile\t2 – 日本語 👩‍👩‍👧 שלום'
  assert.equal(terminalText(ordinary), ordinary)
  assert.equal(terminalText('ends\r\nas on Windows'), 'ends\nas on Windows')
})

test('an answer cannot command the terminal that shows it', { timeout: 20_000 }, async (t) => {
  const done = durable(2, 'turn.completed', { text: 'Hi \u001b]52;c;cHduZWQ=\u0007 there \u202eend' })
  const { url: gatewayUrl } = await scriptedGateway(t, {
    streams: [{ open: true, text: durable(1, 'turn.started') + delta('Hi \u001b]52;c;cHduZWQ=') + done }],
  })
  let shown = ''
  const write = (text: string): void => void (shown += text)
  const turn = { gatewayUrl, sessionId: 's-1', turnId: 't-1', after: 0, signal: t.signal }
  await showTurn(turn, { text: write, note: write })
  assert.match(shown, /Hi ␛\]52/)
  assert.doesNotMatch(shown, /[\u001b\u0007\u202e]/)
})

test('a dead letter cannot command the terminal that shows it', () => {
  const letter = { dead_letter_id: 'd', at: 'now', function: 'f', cause: 'unknown_type', state: 'dead' as const }
  const line = letterLine({ ...letter, type: 'x\u202ey', key: 'k\u009b2J' } as Parameters<typeof letterLine>[0])
  assert.equal(line, 'd  now  f  unknown_type  x\ufffdy key k\ufffd2J')
})
