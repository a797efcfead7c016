// The place of a write: the sequence within its key. It is known when the write commits, long before a log gives it an offset.

export interface Position {
  readonly key: string
  readonly sequence: number
}

export const formatPosition = ({ key, sequence }: Position): string => `${sequence}@${key}`

/** Undefined for text that is no position. */
export function parsePosition(text: string): Position | undefined {
  const [, sequence, key] = /^([1-9]\d{0,14})@([!-~]{1,200})$/.exec(text) ?? []
  return sequence === undefined || key === undefined ? undefined : { key, sequence: Number(sequence) }
}
