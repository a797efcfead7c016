// The words of a text, for writing and asking alike: as Unicode tells them apart (Chinese, Japanese and Thai included),
// lower-cased, apostrophes ending a word (l'été, don't). Stems and accents are the database's business (schemas/database).

const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/** Longer ones are no words; a lexeme of Postgres ends at 2,046 bytes. */
const wordLength = 100
/** Different words that one text is found by. */
const distinctWords = 5_000

/** In the order of the text, repeats included: a language is guessed from how often its small words occur. */
export function wordsOf(text: string): readonly string[] {
  const words: string[] = []
  const distinct = new Set<string>()
  for (const { segment, isWordLike } of segmenter.segment(text.normalize('NFC').toLowerCase())) {
    if (isWordLike !== true) continue
    for (const word of segment.split(apostrophe)) {
      if (word === '' || word.length > wordLength) continue
      if (!distinct.has(word) && distinct.size >= distinctWords) return words
      distinct.add(word)
      words.push(word)
    }
  }
  return words
}

const apostrophe = /['’ʼ]/
