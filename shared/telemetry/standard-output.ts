// Where log lines go: standard output, one write for all lines of a turn of the event loop. A system call for each line costs
// more than making the line; under load dozens of events share a turn, and an idle process still writes at once.
//
// O1  Lines keep their order, and each is written whole.
// O2  Nothing waits longer than the turn it was written in. A process that exits in the middle of one flushes (see
//     `flushAtExit` of lifecycle); only SIGKILL loses the lines of the turn under way.

import { pino, type DestinationStream } from 'pino'

/** Written early, so that a turn that logs without end does not gather it all. In characters. */
const longestBatch = 65_536

export interface StandardOutput extends DestinationStream {
  flush(done?: (error?: Error) => void): void
}

export function createStandardOutput(): StandardOutput {
  // Synchronous, and patient with a pipe whose reader is slow.
  const file = pino.destination({ fd: 1, sync: true })
  let batch = ''
  let scheduled: NodeJS.Immediate | undefined

  function flush(done?: (error?: Error) => void): void {
    clearImmediate(scheduled)
    scheduled = undefined
    const lines = batch
    batch = ''
    if (lines !== '') file.write(lines)
    done?.()
  }

  return {
    write: (line) => {
      batch += line
      if (batch.length >= longestBatch) flush()
      else scheduled ??= setImmediate(() => flush())
    },
    flush,
  }
}
