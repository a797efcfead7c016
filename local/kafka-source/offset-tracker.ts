// How far a partition may be committed (OffsetManager.java).
//
// T1  The committed offset never passes a record that is not settled.
// T2  It may jump over offsets that were never received: transaction markers and compacted records are nobody's work.

export interface OffsetTracker {
  received(offset: number): void
  settled(offset: number): void
  /** The next offset to commit, once for each advance; undefined while nothing moved. */
  takeAdvance(): number | undefined
  /** The advance could not be committed: it is offered again. */
  giveBack(): void
}

export function createOffsetTracker(): OffsetTracker {
  const open = new Map<number, boolean>() // by offset, in the order received: is it settled?
  let next: number | undefined
  let taken: number | undefined
  return {
    received: (offset) => void open.set(offset, false),
    settled: (offset) => {
      open.set(offset, true)
      for (const [first, done] of open) {
        if (!done) break
        open.delete(first)
        next = first + 1
      }
    },
    takeAdvance: () => {
      if (next === taken) return undefined
      taken = next
      return next
    },
    giveBack: () => void (taken = undefined),
  }
}
