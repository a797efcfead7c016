// The order in which java.util.HashMap gives back its keys: by bucket, and within a bucket by insertion. Upstream keeps
// extensions, error facts and the partitions of a poll in such maps, so this order is on its wire. Nothing may depend on it;
// the twin keeps it so that its requests can be compared with captured ones byte for byte.

export interface HashMapOptions<T> {
  readonly hash: (item: T) => number
  /** What the map was told to make room for; 16 when it was told nothing. */
  readonly capacity?: number
}

/** `items` without repeats, in the order of their insertion. */
export function hashMapOrder<T>(items: Iterable<T>, { hash, capacity = 16 }: HashMapOptions<T>): readonly T[] {
  const all = [...items]
  let buckets = 1
  while (buckets < capacity || all.length > buckets * 0.75) buckets *= 2
  const bucketOf = (item: T): number => spread(hash(item)) & (buckets - 1)
  return all.toSorted((a, b) => bucketOf(a) - bucketOf(b))
}

const spread = (hash: number): number => hash ^ (hash >>> 16)

/** String.hashCode. */
export function stringHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  return hash
}

/** TopicPartition.hashCode of the Kafka client. */
export const topicPartitionHash = (topic: string, partition: number): number =>
  (Math.imul(31, 31 + partition) + stringHash(topic)) | 0
