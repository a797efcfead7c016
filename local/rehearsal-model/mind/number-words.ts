// Numbers in words, as far as people write them in questions: "twenty-three", "one hundred and five", "two thousand".

const units = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
]
const tens = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']

const values = new Map([
  ...units.map((word, value): [string, number] => [word, value]),
  ...tens.map((word, place): [string, number] => [word, (place + 2) * 10]),
])
const scales = new Map([
  ['hundred', 100],
  ['thousand', 1_000],
  ['million', 1_000_000],
])

const word = `(?:${[...values.keys(), ...scales.keys()].toSorted((a, b) => b.length - a.length).join('|')})`
const run = new RegExp(`\\b${word}(?:(?:[ -]| and )${word})*\\b`, 'g')

/** Expects lower case. */
export const numberWordsToDigits = (text: string): string =>
  text.replaceAll(run, (words) => inDigits(words.split(/[ -](?:and )?/)))

/** A word that cannot go on with the number before it, as in "two three" or "five and six", begins a number of its own. */
function inDigits(words: readonly string[]): string {
  const numbers: number[] = []
  let total = 0
  let current: number | undefined
  const close = (): void => {
    if (current !== undefined || total > 0) numbers.push(total + (current ?? 0))
    total = 0
    current = undefined
  }
  for (const spoken of words) {
    const scale = scales.get(spoken)
    const value = values.get(spoken) ?? 0
    if (scale === 100) current = (current ?? 1) * 100
    else if (scale !== undefined) {
      total += (current ?? 1) * scale
      current = undefined
    } else if (current === undefined) current = value
    else if (goesOn(current, value)) current += value
    else {
      close()
      current = value
    }
  }
  close()
  return numbers.join(' and ')
}

const goesOn = (before: number, value: number): boolean =>
  value > 0 && (before % 100 === 0 ? before > 0 : before % 10 === 0 && before % 100 >= 20 && value < 10)
