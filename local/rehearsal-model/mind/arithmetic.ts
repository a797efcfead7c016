// Finds the arithmetic in a sentence and writes it as an expression: `seventeen times 23` becomes 17*23.

import { numberWordsToDigits } from './number-words.ts'

const operand = String.raw`(-?\d+(?:\.\d+)?)`

/** Phrases in which the operator does not stand between its numbers. Each is rewritten to an expression. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`\\b(?:square )?root of ${operand}`, 'g'), 'sqrt($1)'],
  [new RegExp(`${operand} ?(?:%|percent|per cent) of ${operand}`, 'g'), '$1/100*$2'],
  [new RegExp(`\\b(?:sum of|add|adding) ${operand} (?:and|to|plus|with) ${operand}`, 'g'), '$1+$2'],
  [new RegExp(`\\b(?:subtract|subtracting|take) ${operand} from ${operand}`, 'g'), '$2-$1'],
  [new RegExp(`\\bdifference (?:between|of) ${operand} and ${operand}`, 'g'), '$1-$2'],
  [new RegExp(`\\b(?:product of|multiply|multiplying) ${operand} (?:and|by|with|times) ${operand}`, 'g'), '$1*$2'],
  [new RegExp(`\\b(?:divide|dividing|quotient of) ${operand} (?:by|and) ${operand}`, 'g'), '$1/$2'],
  [new RegExp(`\\bhalf of ${operand}`, 'g'), '$1/2'],
]

const operators: readonly (readonly [RegExp, string])[] = [
  [/ ?\bto the power of\b ?/g, '^'],
  [/ ?\bsquared\b/g, '^2'],
  [/ ?\bcubed\b/g, '^3'],
  [/ ?\b(?:plus|added to)\b ?/g, '+'],
  [/ ?\bminus\b ?/g, '-'],
  [/ ?\b(?:times|multiplied by)\b ?/g, '*'],
  [/ ?\b(?:divided by|over)\b ?/g, '/'],
  [/ ?\b(?:modulo|mod)\b ?/g, '%'],
]

/** The longest expression of the clause, without spaces, or `undefined` when it asks for none. */
export function findExpression(clause: string): string | undefined {
  const text = inDigits(clause)
  const rewritten = [...phrases, ...operators].reduce(
    (current, [pattern, into]) => current.replace(pattern, into),
    text,
  )
  const candidates = (rewritten.match(/(?:sqrt|[-+*/%^().\d\s])+/g) ?? []).map(trimmed).filter(isExpression)
  const [longest] = candidates.toSorted((a, b) => b.length - a.length)
  if (longest === undefined) return undefined
  const asked = rewritten !== text || /\b(?:what|how much|calculate|compute|evaluate|solve|work out)\b|=/.test(text)
  return asked || longest.length * 2 > rewritten.replaceAll(/\s/g, '').length ? longest : undefined
}

/** Lower case, ASCII operators, digits for number words, no separators between thousands. */
function inDigits(clause: string): string {
  const plain = clause.toLowerCase().replaceAll(/[×⋅·]/g, '*').replaceAll('÷', '/').replaceAll(/[−–]/g, '-')
  return numberWordsToDigits(plain)
    .replaceAll(/(\d),(?=\d{3}(?!\d))/g, '$1')
    .replaceAll(/(\d)\s?x\s?(?=\d)/g, '$1*')
}

/** Without what a sentence leaves at the ends: spaces, full stops, dangling operators, lonely parentheses. */
function trimmed(run: string): string {
  const bare = run.replaceAll(/(?<=[\d)])\s+(?=[\d(s])/g, '#').replaceAll(/\s/g, '')
  const inner = bare.replace(/^[+*/%^.)#]+/, '').replace(/[-+*/%^.(#]+$/, '')
  const open = inner.split('(').length - inner.split(')').length
  if (open > 0 && inner.startsWith('(')) return inner.slice(1)
  return open < 0 && inner.endsWith(')') ? inner.slice(0, -1) : inner
}

function isExpression(text: string): boolean {
  if (text.includes('#') || text.length > 200) return false // two numbers side by side are no expression
  if (/^\d{4}-\d{2}-\d{2}$|^\d{3}-\d{3,4}(?:-\d{4})?$/.test(text)) return false // a date, a telephone number
  if (text.split('(').length !== text.split(')').length) return false
  return /[\d)][-+*/%^]+[-(\ds]/.test(text) || /sqrt\(\d/.test(text)
}
