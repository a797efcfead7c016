// Which texts java.net.URI accepts (RFC 2396 and its deviations from it). `source` and `dataschema` must be such a text.

const hex = '%[0-9a-fA-F]{2}'
/** Letters beyond ASCII are legal everywhere, spaces and control characters nowhere. */
const other = '[^\\x00-\\x7f\\p{Cc}\\p{Z}]'
const unreserved = "[\\w\\-!.~'()*]"
const repeated = (punctuation: string): string => `(?:${unreserved}|[${punctuation}]|${hex}|${other})*`

const uric = repeated(';/?:@&=+$,\\[\\]')
const path = repeated(':@&=+$,;/')
const registry = repeated('$,;:@&=+')
const literal = `(?:${registry}@)?\\[[0-9a-fA-F:.%\\w]+\\](?::\\d*)?`
const authority = `//(?:${literal}|${registry})`
const hierarchical = `(?:${authority}(?=[/?#]|$))?(?:/${path})?`
const query = `(?:\\?${uric})?`
const fragment = `(?:#${uric})?`
const scheme = '[A-Za-z][A-Za-z0-9+.\\-]*'

const opaqueUri = new RegExp(`^${scheme}:(?![/#]|$)${uric}${fragment}$`, 'u')
const absoluteUri = new RegExp(`^${scheme}:(?=/)${hierarchical}${query}${fragment}$`, 'u')
/** A colon in its first segment would make what precedes it a scheme. */
const relativeUri = new RegExp(`^(?![^/?#]*:)(?:${hierarchical}|${path})${query}${fragment}$`, 'u')
const emptyAuthority = new RegExp(`^(?:${scheme}:)?//$`, 'u')

export const isJavaUri = (text: string): boolean =>
  !emptyAuthority.test(text) && (opaqueUri.test(text) || absoluteUri.test(text) || relativeUri.test(text))
