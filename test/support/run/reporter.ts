// The reporter of a test file's process: one JSON line for each ended test, marked so that it can be told from what the test
// prints. node:test takes a reporter from a default export only.

import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { mark, type EndedTest } from './ended-test.ts'

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, nesting, details, skip, todo } = event.data
    const failed = event.type === 'test:fail' && todo === undefined
    const ended: EndedTest = {
      name,
      nesting,
      ms: details.duration_ms,
      isSuite: details.type === 'suite',
      ...outcomeOf({ failed, skip: skip ?? todo, error: 'error' in details ? details.error : undefined }),
    }
    yield `${mark}${JSON.stringify(ended)}\n`
  }
}

interface Outcome {
  readonly failed: boolean
  readonly skip: string | boolean | undefined
  readonly error: unknown
}

function outcomeOf({ failed, skip, error }: Outcome): Pick<EndedTest, 'outcome' | 'text'> {
  if (skip !== undefined && skip !== false)
    return { outcome: 'skipped', text: skip === true ? 'no reason given' : skip }
  if (!failed) return { outcome: 'passed', text: '' }
  const { cause = error, failureType } = error as { readonly cause?: unknown; readonly failureType?: string }
  // A test whose part failed says nothing of its own.
  if (failureType === 'subtestsFailed') return { outcome: 'failed', text: '' }
  return { outcome: 'failed', text: typeof cause === 'string' ? cause : inspect(cause, { depth: 5 }) }
}
