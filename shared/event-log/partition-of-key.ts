// Which partition a key belongs to: murmur2 modulo partitions, as the Java client and kafkajs do it, so that a key has the
// same partition on every adapter and beside producers of other languages.

export function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/** 32-bit MurmurHash2 with Kafka's seed. Source: org.apache.kafka.common.utils.Utils.murmur2. */
function murmur2(key: Buffer): number {
  const m = 0x5bd1e995
  let h = 0x9747b28c ^ key.length
  const whole = key.length - (key.length % 4)
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(key.readInt32LE(at), m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  if (whole < key.length) {
    for (let at = key.length - 1; at >= whole; at -= 1) h ^= key.readUInt8(at) << (8 * (at - whole))
    h = Math.imul(h, m)
  }
  h = Math.imul(h ^ (h >>> 13), m)
  return h ^ (h >>> 15)
}
