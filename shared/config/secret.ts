// Handles for values that must not be seen. A handle prints as a placeholder wherever a value could leak by accident:
// template strings, JSON, util.inspect, errors. Only `reveal()` gives the value, at the place that uses it.

import { inspect } from 'node:util'

export interface Hidden<T> {
  /** The value itself. Call it where the value is used, and keep the result out of variables that live on. */
  reveal(): T
  toString(): string
  toJSON(): string
}

declare const secretBrand: unique symbol
declare const piiBrand: unique symbol

/** A credential. Prints as `[secret]`. */
export type Secret<T> = Hidden<T> & { readonly [secretBrand]: true }
/** Personal data. Prints as `[pii]`. */
export type Pii<T> = Hidden<T> & { readonly [piiBrand]: true }

export const secret = <T>(value: T): Secret<T> => hide(value, '[secret]') as Secret<T>
export const pii = <T>(value: T): Pii<T> => hide(value, '[pii]') as Pii<T>

function hide<T>(value: T, placeholder: string): Hidden<T> {
  const text = (): string => placeholder
  // The value lives in the closure only, so no enumeration, clone or debugger print of the handle finds it.
  const handle = { reveal: () => value, toString: text, toJSON: text }
  Object.defineProperty(handle, inspect.custom, { value: text })
  Object.defineProperty(handle, Symbol.toPrimitive, { value: text })
  return Object.freeze(handle)
}
