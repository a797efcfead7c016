// Turns what a stranger's server sent into text that is safe to show and to store: no markup, no terminal escapes, no NUL,
// no invisible characters, no image that a renderer would load (and so report that it was read). Linear in its input.

const hiddenElements = ['script', 'style', 'noscript', 'template', 'svg', 'head']
const blockElements = new Set([
  'p',
  'br',
  'div',
  'li',
  'tr',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'section',
  'article',
  'table',
  'ul',
  'ol',
  'pre',
])

/** The visible text of an HTML page. */
export function pageText(html: string): string {
  const parts: string[] = []
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) {
      parts.push(html.slice(at))
      break
    }
    parts.push(html.slice(at, open))
    at = afterMarkup(html, open, parts)
  }
  return readableText(entities(parts.join('')))
    .replace(/[ \t]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function afterMarkup(html: string, open: number, parts: string[]): number {
  if (html.startsWith('<!--', open)) return after(html, '-->', open + 4)
  const name = /^<\/?([a-z][a-z0-9]*)/i.exec(html.slice(open, open + 40))?.[1]?.toLowerCase()
  if (name === undefined) {
    if (html[open + 1] === '!' || html[open + 1] === '?') return after(html, '>', open)
    parts.push('<')
    return open + 1
  }
  if (blockElements.has(name)) parts.push('\n')
  const end = after(html, '>', open)
  if (html[open + 1] === '/' || !hiddenElements.includes(name)) return end
  return afterClosing(html, name, end)
}

// An element that is never closed hides the rest, as in a browser.
function afterClosing(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}[\\s>]`, 'gi')
  closing.lastIndex = from
  const found = closing.exec(html)
  return found === null ? html.length : after(html, '>', found.index)
}

function after(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from)
  return at < 0 ? html.length : at + mark.length
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
  ndash: '–',
  mdash: '—',
  hellip: '…',
}

const entities = (text: string): string =>
  text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,8});/gi, (whole, entity: string) => {
    if (!entity.startsWith('#')) return Object.hasOwn(named, entity) ? (named[entity] ?? whole) : whole
    const code = /^#x/i.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1))
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

/** Text without control characters (but line ends and tabs), escapes, invisible characters and lone surrogates. */
export const readableText = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\u001B(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\u0007\u001B]{0,512}(?:\u0007|\u001B\\)?|.)?/g, '')
    .replace(
      // Default ignorable: what nobody sees and a model reads, such as tags and variation selectors.
      /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\p{Default_Ignorable_Code_Point}]/gu,
      '',
    )
    .replaceAll('![', '[')
