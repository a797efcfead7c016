// The key of a record as text, by the label kafkasources.sources.knative.dev/key-type (KeyDeserializer.java): a key whose
// length does not fit its type is read as text, so an 8-byte integer becomes control characters that cannot be sent.

import { javaDouble, javaFloat } from '../java/java-number.ts'
import { javaText } from '../java/java-text.ts'

export const keyTypeLabel = 'kafkasources.sources.knative.dev/key-type'

/** `undefined` when there is no key, or an empty one: then the event gets neither `key` nor `partitionkey`. */
export function decodeKey(key: Buffer | null, type: string | undefined): string | undefined {
  if (key === null || key.length === 0) return undefined
  if (type === 'int' && key.length === 4) return String(key.readInt32BE())
  if (type === 'float' && key.length === 4) return javaFloat(key.readFloatBE())
  if (type === 'float' && key.length === 8) return javaDouble(key.readDoubleBE())
  return type === 'byte-array' ? key.toString('base64') : javaText(key)
}
