// What a rule is: it looks at one manifest among all that were read, and says what is wrong, with the numbers and the remedy.

import type { Manifest, Path, Place } from './manifest.ts'

/** error: events are lost, held up or refused, or the cluster refuses the object. warning: likely so. note: worth knowing. */
export type Level = 'error' | 'warning' | 'note'

export interface Reference {
  /** Such as `docs/kafka-source.md K12`. */
  readonly text: string
  readonly url?: string
}

export interface Rule {
  /** Kebab-case, unique; what a suppression names. */
  readonly id: string
  /** One sentence: what goes wrong. */
  readonly summary: string
  readonly references: readonly Reference[]
  on(manifest: Manifest): boolean
  check(manifest: Manifest, all: readonly Manifest[]): Iterable<Breach>
}

export interface Breach {
  readonly level: Level
  readonly path: Path
  /** With the arithmetic where there is some. */
  readonly message: string
  readonly remedy: string
}

export interface Finding {
  readonly rule: string
  readonly level: Level
  readonly place: Place
  /** `KafkaSource shop/orders`; empty when the file could not be read. */
  readonly object: string
  readonly message: string
  readonly remedy: string
}

export const nameOf = ({ kind, namespace, name }: Manifest): string => `${kind} ${namespace}/${name}`
