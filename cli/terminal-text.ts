// What strangers wrote, made safe to show: a terminal obeys control characters, and a direction mark makes a line read as another.
// Models, pages of the web and senders of events are strangers here.

/** With every control character but line ends and tabs, and every direction mark, shown as a visible sign. Piece by piece as well. */
export const terminalText = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, visible)

/** The picture of a control character where Unicode has one. */
function visible(character: string): string {
  if (character === '\r') return ''
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : '\ufffd'
}
