// The event as the data plane holds it between the record and the request: context attributes, extensions as text, bytes.
// Extensions go out in the order of java.util.HashMap, which all 250 captured requests show. Nothing may depend on that
// order; the twin keeps it so that its requests can be compared with captured ones line by line.

export interface DispatchedEvent {
  readonly specversion: '0.3' | '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly datacontenttype?: string
  /** `schemaurl` in version 0.3. */
  readonly dataschema?: string
  readonly subject?: string
  readonly time?: string
  readonly extensions: ReadonlyMap<string, string>
  /** Null: a tombstone or a CloudEvent without data. */
  readonly data: Buffer | null
}

export const withExtensions = (
  event: DispatchedEvent,
  added: Iterable<readonly [string, string]>,
): DispatchedEvent => ({
  ...event,
  extensions: new Map([...event.extensions, ...added]),
})

/** Iteration order of a java.util.HashMap that holds `names`: by bucket, and by insertion within a bucket. */
export function hashMapOrder(names: Iterable<string>): readonly string[] {
  const all = [...names]
  let buckets = 16
  while (all.length > buckets * 0.75) buckets *= 2
  const bucketOf = (name: string): number => spread(javaHash(name)) & (buckets - 1)
  return all.toSorted((a, b) => bucketOf(a) - bucketOf(b))
}

function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  return hash
}

const spread = (hash: number): number => hash ^ (hash >>> 16)
