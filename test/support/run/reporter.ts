// The reporter of a test file's process: one JSON line for each ended test, marked so that it can be told from what the test
// prints. node:test takes a reporter from a default export only.

import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { mark, type EndedTest, type Leftover } from './ended-test.ts'

// A process whose tests have ended must end too. One that is kept alive by a socket or a timer says so after this long, instead
// of using up the limit of its file: a stop that does not stop is a defect of what was tested.
const graceMs = Number(process.env['TEST_GRACE_MS'] ?? 20_000)

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let running = 0
  let grace: NodeJS.Timeout | undefined
  for await (const event of events) {
    if (event.type === 'test:dequeue') running += 1
    if (event.type === 'test:complete') running -= 1
    clearTimeout(grace)
    if (running === 0) grace = setTimeout(tellLeftover, graceMs).unref()
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

function tellLeftover(): void {
  const ownPipes = 2
  const resources = process.getActiveResourcesInfo().toSorted()
  const pipes = resources.filter((name) => name === 'PipeWrap').slice(ownPipes)
  const leftover: Leftover = { resources: [...resources.filter((name) => name !== 'PipeWrap'), ...pipes] }
  process.stdout.write(`${mark}${JSON.stringify(leftover)}\n`, () => process.exit(1))
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
