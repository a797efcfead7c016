// The Retry-After header (RFC 9110 §10.2.3): whole seconds or an HTTP-date. What is neither is no advice at all.

const httpDate = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/

/** Longest pause taken from a header: a day. A dependency does not decide that we stop for ever. */
const longestRetryAfterMs = 86_400_000

/** Milliseconds from `now` (epoch milliseconds), or `undefined` when there is no usable value. Past dates give 0. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d{1,10}$/.test(text)) return Math.min(longestRetryAfterMs, Number(text) * 1_000)
  if (!httpDate.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.min(longestRetryAfterMs, Math.max(0, at - now))
}
