// What a test has to take down, in the reverse order of putting it up: node:test itself runs `after` hooks first come first
// served, which would remove a folder before the server that works in it is stopped.

import type { TestContext } from 'node:test'

type CleanUp = () => unknown

const stacks = new WeakMap<TestContext, CleanUp[]>()

/** Runs `cleanUp` when the test ends, after everything that was registered later. All run; the first failure fails the test. */
export function atEnd(t: TestContext, cleanUp: CleanUp): void {
  const known = stacks.get(t)
  if (known !== undefined) return void known.push(cleanUp)
  const stack = [cleanUp]
  stacks.set(t, stack)
  t.after(() => runAll(stack))
}

async function runAll(stack: CleanUp[]): Promise<void> {
  const failures: unknown[] = []
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    try {
      await next()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
