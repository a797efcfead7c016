// What JSON from outside may look like. Each limit has a reason and is tested one below, at and one above.

export interface JsonLimits {
  /** Bytes of the text, in UTF-8. */
  readonly bodyBytes: number
  /** Containers inside each other; `[]` is 1. JSON.stringify and structuredClone fail at about 10,000, the logger with them. */
  readonly depth: number
  /** Members of all objects together. A million keys cost 0.6 s of the event loop. */
  readonly keys: number
}

export const jsonLimits: JsonLimits = { bodyBytes: 1_048_576, depth: 64, keys: 10_000 }
