// The buckets of histograms, in seconds, each set with its reason. A bound lies where somebody decides something: at a limit of
// ours, or where people begin to notice.

export interface Buckets {
  readonly seconds: readonly number[]
  /** Why these; shown in docs/metrics.md. */
  readonly reason: string
}

export const buckets = {
  answer: {
    seconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15],
    reason:
      'An answer takes a millisecond or a few where nothing but the database is asked; 2 s is the default wait for a lock, 14 s the longest request.',
  },
  decision: {
    seconds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
    reason:
      'A decision stands before every request: from a cache it takes less than a millisecond, and 3 s is too long.',
  },
  run: {
    seconds: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    reason:
      'A transaction takes milliseconds, a step that asks a model a minute, and no handler may take more than 600 s.',
  },
  call: {
    seconds: [0.005, 0.025, 0.1, 0.25, 0.5, 0.8, 1, 2.5, 5, 10, 30, 60, 180],
    reason:
      'A recall may take 0.8 s, a tool 12 s, an answer of the model 180 s; a call within the machine a few milliseconds.',
  },
  model: {
    seconds: [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 90, 120, 180],
    reason:
      'People notice a second and leave after ten; 30 s is the longest pause, 90 s that before the first token, 180 s the longest answer.',
  },
  start: {
    seconds: [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12, 30],
    reason:
      'A process is ready in tenths of a second; what takes seconds waited for a dependency. A cold start waits for all of it.',
  },
  shutdown: {
    seconds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30],
    reason: 'Well below 10 s is what a rolling restart counts on; 20 s is the hard limit, and above it work was left.',
  },
} as const satisfies Record<string, Buckets>
