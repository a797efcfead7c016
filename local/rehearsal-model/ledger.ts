// What the rehearsal model was asked, for tests: how often, by which turn, and how each request ended.

export interface LedgerEntry {
  /** From 1, over the life of the process. */
  readonly number: number
  /** From the header X-Client-Request-Id, `<session>/<turn>`; empty without it. */
  readonly session: string
  readonly turn: string
  /** Trace id of the request's traceparent; empty without it. */
  readonly trace_id: string
  readonly model: string
  readonly stream: boolean
  /** What the person said last. */
  readonly message: string
  /** Tool rounds before this request in its turn. */
  readonly round: number
  /** Names of the tools offered. */
  readonly tools: readonly string[]
  /** Name of the script's rule that answered, or its place in the script; empty when none did. */
  readonly rule: string
  /** Epoch milliseconds. */
  readonly at: number
  outcome: 'running' | 'answered' | 'refused' | 'garbled' | 'cut' | 'abandoned'
  /** 0 while it runs. */
  duration_ms: number
}

export interface LedgerFilter {
  readonly session?: string | undefined
  readonly turn?: string | undefined
  /** A part of the message. */
  readonly message?: string | undefined
}

export interface Ledger {
  open(entry: Omit<LedgerEntry, 'number' | 'outcome' | 'duration_ms'>): LedgerEntry
  find(filter: LedgerFilter): readonly LedgerEntry[]
  clear(): void
}

const kept = 10_000

export function createLedger(): Ledger {
  let entries: LedgerEntry[] = []
  let count = 0
  return {
    open: (given) => {
      count += 1
      const entry: LedgerEntry = { number: count, ...given, outcome: 'running', duration_ms: 0 }
      entries.push(entry)
      if (entries.length > kept) entries = entries.slice(-kept)
      return entry
    },
    find: ({ session, turn, message }) =>
      entries.filter(
        (entry) =>
          (session === undefined || entry.session === session) &&
          (turn === undefined || entry.turn === turn) &&
          (message === undefined || entry.message.includes(message)),
      ),
    clear: () => {
      entries = []
    },
  }
}
