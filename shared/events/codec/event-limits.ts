// What the attributes of a CloudEvent may take. Each limit has a reason and is tested at the limit and one above.

export const eventLimits = {
  /** Bytes of id, source and type in UTF-8. Together they are an index key, and a btree row ends at 2,704 bytes. */
  identifierBytes: 1_024,
  /** Extensions of one event. A raw record of a KafkaSource brings one for each of its headers. */
  extensions: 100,
  /** Characters of an extension's name. The specification suggests 20, KafkaSource's `kafkaheader…` names are longer. */
  extensionNameLength: 128,
  /** Characters of all names and values together: what fits a request head of 64 KiB with the rest of the head. */
  attributeLength: 49_152,
  /** Bytes of a key; a longer one is replaced by its hash, which keeps the order of the key and fits an index. */
  keyBytes: 512,
} as const
