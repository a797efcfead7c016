// What a test file's process tells `npm test`: each test that ended, and what it left open.

export interface EndedTest {
  readonly name: string
  /** 0 for a test of the file itself, 1 for a part of it, and so on. */
  readonly nesting: number
  readonly ms: number
  readonly isSuite: boolean
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped; empty where a part of it says so. */
  readonly text: string
}

/** Told instead of an ended test when all have ended and the process lives on. */
export interface Leftover {
  /** What keeps it alive, as Node names it: TCPSocketWrap, Timeout, … */
  readonly resources: readonly string[]
}

/** Starts a line of JSON in the standard output of a test file. */
export const mark = '\u0001sluice-test '
