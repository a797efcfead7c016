// A world of servers and processes: what it put up goes down in reverse order, also when the rest could not be put up. For
// worlds that live longer than a test; within one there is at-end.ts.

import { createReleaseStack } from '../../local/platform/release-stack.ts'

export type AtEnd = (end: () => Promise<void> | void) => void

/** `onStopError` hears of the first end that failed; all are tried. */
export async function putUp<World extends object>(
  assemble: (atEnd: AtEnd) => Promise<World>,
  onStopError: (error: unknown) => void,
): Promise<World & { stop(): Promise<void> }> {
  const release = createReleaseStack()
  const stop = (): Promise<void> => release.all().catch(onStopError)
  try {
    return { ...(await assemble(release.add)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
