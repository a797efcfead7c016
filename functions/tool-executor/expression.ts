// Arithmetic, and nothing else. jsep only parses; what may happen is what `evaluate` below lists, so no expression can reach
// a property, a prototype or code.
//
// X1  `**` and `^` mean power, bind tighter than a sign on their left (-2^2 is -4) and group to the right (2^3^2 is 512).
// X2  Whole numbers stay exact up to `exactBits`; other results are rounded to 15 digits, so 0.1 + 0.2 is 0.3.
// X3  Errors do not repeat the expression: it is content, and an error is shown, logged and stored as something else.
// X4  An expression costs at most `lengthMax` characters and numbers of `exactBits` bits, whoever wrote it.

import jsep from 'jsep'
import { SluiceError } from '../../shared/errors/index.ts'

export const expressionLimits = { lengthMax: 1_000, exactBits: 4_096, depthMax: 100 } as const

type Value = number | bigint

configureParser()

/** @throws SluiceError `calculation_failed`, saying what is wrong with the expression. */
export function evaluateExpression(text: string): number | string {
  if (text.length > expressionLimits.lengthMax) fail(`longer than ${expressionLimits.lengthMax} characters`)
  return presentable(evaluate(parse(text), 0))
}

function parse(text: string): jsep.Expression {
  const plain = text.replaceAll('×', '*').replaceAll('÷', '/').replaceAll('−', '-')
  try {
    return jsep(plain)
  } catch (error) {
    return fail(parseProblem(error))
  }
}

/** What jsep says and where, without the piece of the expression that it quotes (X3). */
function parseProblem(error: unknown): string {
  if (!(error instanceof Error && 'description' in error && 'index' in error)) return 'cannot be read'
  return `${String(error.description).replace(/ after "[^]*| \([^]+\)/, '')} at character ${String(error.index)}`
}

function evaluate(node: jsep.Expression, depth: number): Value {
  if (depth > expressionLimits.depthMax) fail('nested too deeply')
  const expression = node as jsep.CoreExpression
  switch (expression.type) {
    case 'Literal':
      return literal(expression)
    case 'UnaryExpression':
      return expression.operator === '-'
        ? -evaluate(expression.argument, depth + 1)
        : evaluate(expression.argument, depth + 1)
    case 'BinaryExpression':
      return binary(expression.operator, evaluate(expression.left, depth + 1), evaluate(expression.right, depth + 1))
    case 'Identifier':
      return (
        constants.get(expression.name) ??
        fail(`a name in it is unknown; constants are ${[...constants.keys()].join(', ')}`)
      )
    case 'CallExpression':
      return call(expression, depth)
    default:
      return fail('only numbers, + - * / % ^ ( ) and functions are understood; write numbers without separators')
  }
}

function literal({ value, raw }: jsep.Literal): Value {
  if (typeof value !== 'number') return fail('something in it is not a number')
  return /^\d+$/.test(raw) ? bounded(BigInt(raw)) : value
}

function binary(operator: string, left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    const exact = exactly(operator, left, right)
    if (exact !== undefined) return exact
  }
  const [a, b] = [Number(left), Number(right)]
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return b === 0 ? fail('division by zero') : a / b
    case '%':
      return b === 0 ? fail('division by zero') : a % b
    default:
      return a ** b
  }
}

/** The exact result for whole numbers, or nothing where it is not whole. */
function exactly(operator: string, a: bigint, b: bigint): bigint | undefined {
  switch (operator) {
    case '+':
      return bounded(a + b)
    case '-':
      return bounded(a - b)
    case '*':
      return bounded(a * b)
    case '/':
      return b !== 0n && a % b === 0n ? a / b : undefined
    case '%':
      return b === 0n ? undefined : a % b
    default:
      return power(a, b)
  }
}

function power(base: bigint, exponent: bigint): bigint | undefined {
  if (exponent < 0n) return undefined
  const magnitude = base < 0n ? -base : base
  // Checked before it is computed: 9^9^9 would hold the process for minutes.
  if (magnitude > 1n && exponent * BigInt(bitLength(magnitude) - 1) > BigInt(expressionLimits.exactBits))
    return tooLarge()
  return bounded(base ** exponent)
}

const bitLength = (value: bigint): number => value.toString(2).length

const bounded = (value: bigint): bigint =>
  bitLength(value < 0n ? -value : value) > expressionLimits.exactBits ? tooLarge() : value

function call({ callee, arguments: given }: jsep.CallExpression, depth: number): Value {
  const name = callee.type === 'Identifier' ? (callee as jsep.Identifier).name : ''
  const known = functions.get(name)
  if (known === undefined)
    return fail(`what it calls is not a function; functions are ${[...functions.keys()].join(', ')}`)
  const values = given.map((argument) => Number(evaluate(argument, depth + 1)))
  const [least, most] = known.takes
  if (values.length < least || values.length > most)
    return fail(`${name} takes ${least === most ? least : `${least} to ${most}`} numbers`)
  const result = known.of(...values)
  // Back to an exact number where the result is one, so that sqrt(16)^60 stays whole.
  return Number.isSafeInteger(result) ? BigInt(result) : result
}

interface MathFunction {
  readonly takes: readonly [number, number]
  readonly of: (...values: number[]) => number
}

const one = (of: (x: number) => number): MathFunction => ({ takes: [1, 1], of: (x = 0) => of(x) })
const two = (of: (x: number, y: number) => number): MathFunction => ({ takes: [2, 2], of: (x = 0, y = 0) => of(x, y) })
const many = (of: (...values: number[]) => number): MathFunction => ({ takes: [1, 64], of })

// A Map and not an object: a name such as 'constructor' must find nothing.
const functions = new Map<string, MathFunction>([
  ['sqrt', one(Math.sqrt)],
  ['cbrt', one(Math.cbrt)],
  ['abs', one(Math.abs)],
  ['sign', one(Math.sign)],
  ['floor', one(Math.floor)],
  ['ceil', one(Math.ceil)],
  ['trunc', one(Math.trunc)],
  ['round', { takes: [1, 2], of: (x = 0, digits = 0) => roundTo(x, digits) }],
  ['exp', one(Math.exp)],
  ['ln', one(Math.log)],
  [
    'log',
    { takes: [1, 2], of: (x = 0, base = Math.E) => (base === Math.E ? Math.log(x) : Math.log(x) / Math.log(base)) },
  ],
  ['log2', one(Math.log2)],
  ['log10', one(Math.log10)],
  ['sin', one(Math.sin)],
  ['cos', one(Math.cos)],
  ['tan', one(Math.tan)],
  ['asin', one(Math.asin)],
  ['acos', one(Math.acos)],
  ['atan', one(Math.atan)],
  ['atan2', two(Math.atan2)],
  ['pow', two(Math.pow)],
  ['hypot', many(Math.hypot)],
  ['min', many(Math.min)],
  ['max', many(Math.max)],
  ['sum', many((...values) => values.reduce((total, value) => total + value, 0))],
  ['mean', many((...values) => values.reduce((total, value) => total + value, 0) / values.length)],
])

const constants = new Map<string, Value>([
  ['pi', Math.PI],
  ['e', Math.E],
  ['tau', 2 * Math.PI],
])

function roundTo(value: number, digits: number): number {
  if (!Number.isInteger(digits) || digits < 0 || digits > 15) return fail('round takes 0 to 15 digits')
  const scaled = Number((Math.abs(value) * 10 ** digits).toPrecision(15)) // 1.005 * 100 is 100.49999999999999
  return (Math.sign(value) * Math.round(scaled)) / 10 ** digits
}

function presentable(value: Value): number | string {
  if (typeof value === 'bigint') {
    const asNumber = Number(value)
    return Number.isSafeInteger(asNumber) ? asNumber : value.toString()
  }
  if (!Number.isFinite(value))
    return fail(Number.isNaN(value) ? 'the result is not a real number' : 'the result is too large')
  const rounded = Number(value.toPrecision(15))
  return Object.is(rounded, -0) ? 0 : rounded
}

const tooLarge = (): never => fail(`a number has more than ${expressionLimits.exactBits} bits`)

function fail(problem: string): never {
  throw new SluiceError('calculation_failed', `The expression cannot be calculated: ${problem}`)
}

// jsep keeps its grammar in module state; this file is its only user.
function configureParser(): void {
  jsep.removeAllUnaryOps()
  jsep.removeAllBinaryOps()
  jsep.removeAllLiterals()
  for (const [operator, precedence] of [
    ['+', 1],
    ['-', 1],
    ['*', 2],
    ['/', 2],
    ['%', 2],
  ] as const) {
    jsep.addBinaryOp(operator, precedence)
  }
  jsep.addBinaryOp('**', 3, true)
  jsep.addBinaryOp('^', 3, true)
  jsep.hooks.add('gobble-token', function (env) {
    if (this.char !== '-' && this.char !== '+') return
    const operator = this.char
    this.index += 1
    env.node = { type: 'UnaryExpression', operator, argument: gobblePower(this), prefix: true }
  })
}

// jsep binds a sign tighter than any operator; in arithmetic a power comes first.
function gobblePower(scope: jsep.HookScope): jsep.Expression {
  const base = scope.gobbleToken() as jsep.Expression | false | undefined // the types leave out the false
  if (base === undefined || base === false) return scope.throwError('Expected a number after the sign')
  scope.gobbleSpaces()
  const operator = ['**', '^'].find((candidate) => scope.expr.startsWith(candidate, scope.index))
  if (operator === undefined) return base
  scope.index += operator.length
  return { type: 'BinaryExpression', operator, left: base, right: gobblePower(scope) }
}
