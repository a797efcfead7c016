// How a capture and the twin are compared, and the rules by which what differs from run to run is left out.
//
// parent-id     the third part of a traceparent is a new span for every request
// padding       spaces around a header value are lost in HTTP
// repeated      over sockets node:http writes repeated header names side by side; the captured client did not
// lateness      the captures come from a busy machine: a delay is at least the configured one, and at most `slackMs` more
// interleaving  requests of different partitions (ordered) or records (unordered) come in no fixed order

import { createHash } from 'node:crypto'
import type { CapturedRequest } from './capture.ts'
import type { ReceivedRequest } from './received-request.ts'

export interface Difference {
  readonly path: string
  readonly expected: unknown
  readonly got: unknown
}

type Headers = readonly (readonly [string, string])[]

/** Every leaf in which two values differ. */
export function differencesOf(path: string, expected: unknown, got: unknown): readonly Difference[] {
  if (Object.is(expected, got)) return []
  if (!isTree(expected) || !isTree(got) || Array.isArray(expected) !== Array.isArray(got)) {
    return [{ path, expected, got }]
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(got)])
  return [...keys].flatMap((key) =>
    differencesOf(Array.isArray(expected) ? `${path}[${key}]` : `${path}.${key}`, expected[key], got[key]),
  )
}

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

export function compareRequests(
  path: string,
  expected: CapturedRequest,
  got: ReceivedRequest | undefined,
): readonly Difference[] {
  if (got === undefined) return [{ path, expected: 'a request', got: 'none' }]
  const { method, httpVersion } = expected
  return [
    ...differencesOf(path, { method, path: expected.path, httpVersion }, pick(got)),
    ...differencesOf(
      `${path}.rawHeaders`,
      comparable(expected.rawHeaders, got.via),
      comparable(got.rawHeaders, got.via),
    ),
    ...differencesOf(`${path}.headers`, comparableObject(expected.headers), comparableObject(asObject(got.rawHeaders))),
    ...compareBodies(path, expected, got.body),
  ]
}

const pick = ({ method, path, httpVersion }: ReceivedRequest): unknown => ({ method, path, httpVersion })

const withoutParentId = (name: string, value: string): string =>
  name.toLowerCase() === 'traceparent' ? value.replace(/-[0-9a-f]{16}-/, '-<parent-id>-') : value

const trimmed = (value: string): string => value.replace(/^[ \t]+|[ \t]+$/g, '')

function comparable(headers: Headers, via: ReceivedRequest['via']): Headers {
  const normalised = headers.map(([name, value]) => [name, withoutParentId(name, trimmed(value))] as const)
  return via === 'memory' ? normalised : [...Map.groupBy(normalised, ([name]) => name).values()].flat()
}

const comparableObject = (headers: Readonly<Record<string, string>>): unknown =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, withoutParentId(name, trimmed(value))]))

/** Lower-case names, the last of repeated ones. */
const asObject = (headers: Headers): Readonly<Record<string, string>> =>
  Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))

/** An unread body, as a sink has that answers early and closes, cannot be compared. */
function compareBodies(
  path: string,
  { bodyBase64, bodyBase64Length, bodyBase64Sha256, bodyBase64Repeats }: CapturedRequest,
  body: Buffer | undefined,
): readonly Difference[] {
  if (body === undefined) return []
  if (bodyBase64Length === undefined)
    return differencesOf(`${path}.bodyBase64`, bodyBase64 ?? '', body.toString('base64'))
  const sha256 = createHash('sha256').update(body).digest('hex')
  return differencesOf(
    path,
    { bodyBase64Length, bodyBase64Sha256, bodyBase64Repeats },
    { bodyBase64Length: body.length, bodyBase64Sha256: sha256, bodyBase64Repeats: body.toString('utf8', 0, 1) },
  )
}

export const slackMs = { early: 5, retry: 400, other: 1_500 }

/** `real` is when it was captured, `virtual` when the twin did it. */
export function compareTimes(
  path: string,
  { realMs, virtualMs }: { readonly realMs: number; readonly virtualMs: number },
  lateMs: number,
): readonly Difference[] {
  const isWithin = realMs > virtualMs - slackMs.early && realMs <= virtualMs + lateMs
  return isWithin
    ? []
    : [{ path, expected: `${realMs} ms`, got: `${Math.round(virtualMs)} ms, at most ${lateMs} less` }]
}
