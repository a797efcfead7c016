// Secrets that are planted to see where they come up again: each a random word, looked for in every form that a careless hand
// would write it in. Percent-encoding does not change the word; base64 does, in three ways.

import { randomBytes } from 'node:crypto'

export interface Canaries {
  /** A new secret, with characters that encodings change. Plain, or in the form asked for. */
  plant(where: string, form?: CanaryForm): string
  /** A value that is a secret already. */
  adopt(where: string, value: string): void
  /** Where secrets came from that are in the text. */
  foundIn(text: string): readonly string[]
}

export type CanaryForm = 'plain' | 'base64' | 'url'

export const canaryForms: readonly CanaryForm[] = ['plain', 'base64', 'url']

export function createCanaries(): Canaries {
  const planted = new Map<string, readonly string[]>()
  return {
    plant: (where, form = 'plain') => {
      const word = randomBytes(12).toString('hex')
      planted.set(`${where} (${form})`, formsOf(word))
      const value = `cnry/${word}+x=`
      if (form === 'base64') return Buffer.from(value).toString('base64')
      return form === 'url' ? encodeURIComponent(value) : value
    },
    adopt: (where, value) => void planted.set(where, formsOf(value)),
    foundIn: (text) =>
      [...planted].filter(([, forms]) => forms.some((form) => text.includes(form))).map(([where]) => where),
  }
}

const formsOf = (word: string): readonly string[] => [
  word,
  encodeURIComponent(word),
  ...[0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(word)])
    return bytes.toString('base64').slice(shift === 0 ? 0 : shift + 1, Math.floor((bytes.length * 8) / 6))
  }),
]
