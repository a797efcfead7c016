// Asks a function to run the event of a dead letter dry: issues a token, POSTs the event as the lane driver does, and reads the
// report from the database.

import type { Queryable } from '../../database/index.ts'
import { isErrorCode, SluiceError } from '../../errors/index.ts'
import type { Outbound } from '../../resilience/index.ts'
import type { DryRunReport } from './dry-run-report.ts'
import { collectDryRun, dryRunTokenHeader, issueDryRun } from './dry-run-token.ts'
import { readDeadLetter, type DeadLetterKey } from './find-dead-letters.ts'
import { refusedReplay } from './judge-letter.ts'

export type DryRun =
  | { readonly kind: 'report'; readonly report: DryRunReport }
  /** The function takes no such event any more; a replay would end in the same dead letter. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

export interface DryRunDeps {
  readonly database: Queryable
  readonly outbound: Pick<Outbound, 'request'>
  readonly functionUrl: (name: string) => string
  readonly signal: AbortSignal
}

const tokenValidMs = 60_000
const answerBytes = 65_536

/** @throws SluiceError `not_found`, `conflict` (it was never an event), or what kept the function from answering. */
export async function requestDryRun(key: DeadLetterKey, deps: DryRunDeps): Promise<DryRun> {
  const { database, outbound, functionUrl, signal } = deps
  const letter = await readDeadLetter(database, key)
  const { function: name, source, id, event, trace } = letter
  if (event === null || source === null || id === null) throw new SluiceError('conflict', refusedReplay.no_event)
  const token = await issueDryRun(database, { function: name, source, id }, tokenValidMs)
  try {
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      [dryRunTokenHeader]: token,
      ...(trace === null ? {} : { traceparent: trace }),
    }
    const request = { method: 'POST', url: `${functionUrl(name)}/`, headers, body: JSON.stringify(event) } as const
    const response = await outbound.request(request, { signal })
    const answer = (await response.bytes(answerBytes)).toString()
    const report = await collectDryRun(database, token)
    if (report !== undefined) return { kind: 'report', report }
    const code = codeOf(answer)
    if (response.status >= 400 && response.status < 500 && response.status !== 409) {
      return { kind: 'refused', code, message: `the function refuses the event: ${code}` }
    }
    throw new SluiceError('dependency_failed', `${name} answered ${response.status} (${code}) and ran nothing dry`)
  } finally {
    await collectDryRun(database, token).catch(() => undefined)
  }
}

function codeOf(problem: string): string {
  try {
    const { code } = JSON.parse(problem) as { readonly code?: unknown }
    return isErrorCode(code) ? code : 'internal'
  } catch {
    return 'internal'
  }
}
