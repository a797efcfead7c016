// The last wall before text leaves the process by log, span, error or dead letter: what looks like a credential, and the
// credentials that this process knows, are replaced. The walls before it are types (Secret and Pii print as placeholders) and
// names (redact-record.ts); content is not given to a logger in the first place.
//
// RT1  Linear: at most `longestText` characters are looked at, the rest is cut off, and no pattern can be made to look at a
//      character more than a few times. (A pattern begins at a literal, or only where its run of characters begins.)
// RT2  No pattern crosses the end of a JSON string, so that JSON stays JSON.
// RT3  A known secret through which the cut goes leaves none of its beginning.

/** Characters. */
export const longestText = 16_384

export type Redact = (text: string) => string

/** An id that Sluice makes (UUID version 7): no pattern can begin in it, and no key is one. Other hexadecimal texts may be keys. */
export const ownId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const placeholder = '[redacted]'

interface Pattern {
  readonly expression: RegExp
  readonly replacement: string
}

/** Whether any pattern can match at all: one look at texts that are harmless, which nearly all are. */
const suspicious =
  /bearer|basic|eyj|passw|pwd|secret|token|api[_-]?key|private|authorization|cookie|credential|:\/\/|sk-|gh[a-z]_|github_pat|glpat|xox|akia|asia|aiza|npm_|hvs\.|signature=|[?&]sig=/i

const patterns: readonly Pattern[] = [
  // PEM, to its end or that of the text
  {
    expression: /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?:[^"]*?-----END [A-Z ]{0,32}PRIVATE KEY-----|[^"]*(?<!\\))/g,
    replacement: placeholder,
  },
  // JSON Web Tokens
  {
    expression: /(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g,
    replacement: placeholder,
  },
  // The password, or the one secret, of a URL
  { expression: /:\/\/([^\s/@:"\\?#]*):[^\s/@"\\?#]+@/g, replacement: `://$1:${placeholder}@` },
  // Headers that are credentials as a whole, scheme and all
  {
    expression: /(authorization|cookie)((?:\\?["'])?\s{0,8}[=:]\s{0,8}(?:\\?["'])?)(?![\s,;:[{}\])])[^\r\n"'\\]+/gi,
    replacement: `$1$2${placeholder}`,
  },
  // Authorization schemes
  { expression: /\b(bearer|basic)(\s|%20)[\w.~+/=%-]{8,}/gi, replacement: `$1$2${placeholder}` },
  // name=value, name: value, "name":"value", in queries, connection strings and JSON; in quotes the value ends with them
  {
    expression:
      /(passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)((?:\\?["'])?\s{0,8}[=:]\s{0,8})(?:(")(?![\s,;:}\])])(?:[^"\\]|\\.)+|(\\?["'])(?![\s,;:}\])])[^"'\\]+|[^\s"',;&\\[{}\])][^\s"',;&\\}\])]*)/gi,
    replacement: `$1$2$3$4${placeholder}`,
  },
  // What makes a link a key
  { expression: /([?&](?:[\w-]{0,32}signature|sig)=)[^\s"'&#\\]+/gi, replacement: `$1${placeholder}` },
  // Keys whose issuers mark them: OpenAI and its like, GitHub, GitLab, Slack, AWS, Google, npm, Vault
  {
    expression:
      /(?<![\w-])(?:sk-|gh[oprsu]_|github_pat_|glpat-|xox[abeoprs]-|(?:AKIA|ASIA)(?=[A-Z0-9]{16})|AIza|npm_|hvs\.)[\w-]{16,}/g,
    replacement: placeholder,
  },
]

/** `secrets`: values that this process knows and must not tell, whatever they look like; also base64 and percent-encoded. */
export function createRedact(secrets: readonly string[] = []): Redact {
  const known = knownValues(secrets)
  const clean = (text: string): string => {
    const masked = known === undefined ? text : text.replace(known.expression, placeholder)
    if (!suspicious.test(masked)) return masked
    return patterns.reduce((rest, { expression, replacement }) => rest.replace(expression, replacement), masked)
  }
  return (text) => {
    if (text.length <= longestText) return clean(text)
    const cut = clean(text.slice(0, longestText))
    return `${cut.slice(0, cut.length - (known?.longest ?? 0))}…`
  }
}

/** Shorter ones are too likely to be words. */
const shortestSecret = 8

interface KnownValues {
  readonly expression: RegExp
  /** Characters. */
  readonly longest: number
}

function knownValues(secrets: readonly string[]): KnownValues | undefined {
  const forms = secrets.filter((value) => value.length >= shortestSecret).flatMap(formsOf)
  const longestFirst = [...new Set(forms)].toSorted((a, b) => b.length - a.length)
  const [longest] = longestFirst
  if (longest === undefined) return undefined
  return { expression: new RegExp(longestFirst.map(literal).join('|'), 'g'), longest: longest.length }
}

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

function formsOf(value: string): readonly string[] {
  const encoded = encodeURIComponent(value)
  const json = JSON.stringify(value).slice(1, -1)
  return [
    value,
    encoded,
    json,
    ...['base64', 'base64url'].flatMap((form) => base64Forms(value, form as BufferEncoding)),
  ]
}

/** Within other text a value stands at one of three places of base64's groups; the characters that it shares are left out. */
function base64Forms(value: string, form: BufferEncoding): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)])
    const first = shift === 0 ? 0 : shift + 1
    return bytes.toString(form).slice(first, Math.floor((bytes.length * 8) / 6))
  })
}
