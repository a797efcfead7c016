// Text as java.lang.String reads it from UTF-8. Malformed bytes become U+FFFD, as many as in the WHATWG decoder; only half a
// surrogate pair encoded by itself (ED A0 80 to ED BF BF) becomes one U+FFFD in Java and three there.

const loneSurrogate = /\xed[\xa0-\xbf][\x80-\xbf]/g

export function javaText(bytes: Buffer): string {
  const latin1 = bytes.toString('latin1')
  if (!latin1.includes('\xed')) return bytes.toString('utf8')
  return Buffer.from(latin1.replace(loneSurrogate, '\xef\xbf\xbd'), 'latin1').toString('utf8')
}

/** What String.getBytes(UTF_8) writes: half a surrogate pair becomes a question mark. */
export const javaBytes = (text: string): Buffer => Buffer.from(text.isWellFormed() ? text : questioned(text), 'utf8')

const questioned = (text: string): string =>
  text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '?')
