/**
 * Reads JSON as it is written, where `JSON.parse` does not.
 *
 * - A number that a double cannot hold is changed in silence: 9007199254740993 becomes its
 *   neighbour, 1e-400 becomes 0, 1e400 infinite. Here it is a fault, with its path.
 * - Where an object with a backslash in a key has ever been made, V8 may read the key `"\n"` of a
 *   later text as if it were that one (https://github.com/nodejs/node/issues/63785): one client
 *   could so change what another's write means.
 *
 * Most texts hold nothing of either kind and are `JSON.parse`'s; it also tells of each text whether
 * it is JSON. The others are read again, token by token.
 */

import { endOfText, isDeeperThan } from "./JsonDepth.ts"

export { isDeeperThan } from "./JsonDepth.ts"

export type Json =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<Json>
  | { readonly [key: string]: Json }

/** The names of fields and the indexes of items that lead from a value to a part of it. */
export type Path = ReadonlyArray<string | number>

/** A path as errors show it: `$.items[2]`. */
export const pathText = (path: Path): string =>
  `$${path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("")}`

/** Stands in a marked value where the text has a number that no double holds as it is written. */
export class Misread {
  readonly problem: string
  constructor(problem: string) {
    this.problem = problem
  }
}

/** A text with a number that no double holds as it is written: where, and why. */
export class InexactNumber extends Error {
  override readonly name = "InexactNumber"
  readonly path: Path
  readonly problem: string
  constructor(path: Path, problem: string) {
    super(`${pathText(path)}: ${problem}`)
    this.path = path
    this.problem = problem
  }
}

/** JSON that may have a `Misread` in place of any number, if `isMarked`. */
export interface Marked {
  readonly value: unknown
  readonly isMarked: boolean
}

/**
 * No text is read that nests deeper: `JSON.parse` takes seconds for a megabyte of brackets, and
 * what walks its value overflows the stack. A value ends far below, with an error of its own.
 */
export const depthMax = 1024

/**
 * The value of the text, with marks in place of the numbers that cannot be held.
 *
 * Throws `SyntaxError` where the text is no JSON, `RangeError` where it nests deeper than
 * `depthMax`.
 */
export const parseMarked = (text: string): Marked => {
  refuseDeep(text)
  const parsed: Json = JSON.parse(text)
  return needsReading(text) ? new Reader(text).read() : { value: parsed, isMarked: false }
}

/**
 * The value of the text. The last of equal keys counts.
 *
 * Throws `SyntaxError` where the text is no JSON, `InexactNumber` where a number would be changed,
 * `RangeError` where it nests deeper than `depthMax`.
 */
export const parse = (text: string): Json => {
  const marked = parseMarked(text)
  if (isExact(marked)) return marked.value
  const { path, problem } = misreadIn(marked.value)!
  throw new InexactNumber(path, problem)
}

const refuseDeep = (text: string): void => {
  if (isDeeperThan(text, depthMax)) throw new RangeError(`nested deeper than ${depthMax} levels`)
}

const isExact = (marked: Marked): marked is { readonly value: Json; readonly isMarked: false } =>
  !marked.isMarked

/** Fails with `SyntaxError` or `RangeError` unless the text is one value of JSON. */
export const check = (text: string): string => {
  refuseDeep(text)
  JSON.parse(text)
  return text
}

/** The value of the text, or undefined where it is no JSON that can be read. */
export const read = (text: string): Json | undefined => {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

/** A number that no double holds as it is written: where it stands, and why. */
export interface Fault {
  readonly path: Path
  readonly problem: string
}

/** The first mark in a marked value. */
export const misreadIn = (value: unknown): Fault | undefined => {
  if (value instanceof Misread) return { path: [], problem: value.problem }
  if (typeof value !== "object" || value === null) return undefined
  const isArray = Array.isArray(value)
  const parts: ReadonlyArray<readonly [string, unknown]> = Object.entries(value)
  for (const [name, part] of parts) {
    const found = misreadIn(part)
    if (found === undefined) continue
    return { path: [isArray ? Number(name) : name, ...found.path], problem: found.problem }
  }
  return undefined
}

const numberToken = /-?(\d+)(\.\d+)?([eE][-+]?\d+)?/uy
const space = /[ \t\n\r]*/uy

/** Reads a text that is known to be JSON. */
class Reader {
  readonly #text: string
  #at = 0
  #isMarked = false

  constructor(text: string) {
    this.#text = text
  }

  read(): Marked {
    const value = this.#value()
    return { value, isMarked: this.#isMarked }
  }

  #value(): unknown {
    switch (this.#peek()) {
      case "{":
        return this.#object()
      case "[":
        return this.#array()
      case "\"":
        return this.#string()
      case "t":
        return this.#word("true", true)
      case "f":
        return this.#word("false", false)
      case "n":
        return this.#word("null", null)
      default:
        return this.#number()
    }
  }

  #object(): object {
    const object: Record<string, unknown> = {}
    this.#at++
    while (this.#peek() !== "}") {
      const key = this.#string()
      this.#skip(":")
      const value = this.#value()
      // An assignment would set the prototype.
      if (key === "__proto__") {
        const own = { value, configurable: true, enumerable: true, writable: true }
        Object.defineProperty(object, key, own)
      } else object[key] = value
      if (this.#peek() === ",") this.#skip(",")
    }
    this.#at++
    return object
  }

  #array(): ReadonlyArray<unknown> {
    const items: Array<unknown> = []
    this.#at++
    while (this.#peek() !== "]") {
      items.push(this.#value())
      if (this.#peek() === ",") this.#skip(",")
    }
    this.#at++
    return items
  }

  #string(): string {
    const end = endOfText(this.#text, this.#at)
    const token = this.#text.slice(this.#at, end)
    this.#at = end
    return token.includes("\\") ? String(JSON.parse(token)) : token.slice(1, -1)
  }

  #word<A>(word: string, value: A): A {
    this.#at += word.length
    return value
  }

  #number(): number | Misread {
    numberToken.lastIndex = this.#at
    const token = numberToken.exec(this.#text)!
    this.#at = numberToken.lastIndex
    const value = numberOf(token)
    if (typeof value !== "number") this.#isMarked = true
    return value
  }

  /** The next character that is no white space; the reader stands at it then. */
  #peek(): string | undefined {
    space.lastIndex = this.#at
    space.test(this.#text)
    this.#at = space.lastIndex
    return this.#text[this.#at]
  }

  /** Goes past a character, and the white space around it. */
  #skip(character: string): void {
    this.#peek()
    this.#at += character.length
    this.#peek()
  }
}

const shownLengthMax = 40

const numberOf = (match: RegExpExecArray): number | Misread => {
  const [token, integer = "", fraction, exponent] = match
  const value = Number(token)
  const shown = token.length > shownLengthMax ? `${token.slice(0, shownLengthMax)}...` : token
  if (!Number.isFinite(value)) return new Misread(`a number that would become infinite: ${shown}`)
  if (value === 0 && /[1-9]/u.test(integer + (fraction ?? ""))) {
    return new Misread(`a number that would become 0: ${shown}`)
  }
  const isInteger = fraction === undefined && exponent === undefined
  if (isInteger && !Number.isSafeInteger(value) && digitsOf(value) !== integer) {
    return new Misread(`an integer that would become ${value}: ${shown}; send it as text`)
  }
  return value
}

/** The digits of an integer, as it will be written, without an exponent. */
const digitsOf = (integer: number): string => {
  const [mantissa = "", exponent] = String(Math.abs(integer)).split("e")
  const [whole = "", fraction = ""] = mantissa.split(".")
  return whole + fraction.padEnd(Number(exponent ?? 0), "0")
}

const quote = 0x22
const point = 0x2e
const digit0 = 0x30
const digit9 = 0x39
/** What is left of `E` and `e` alike. */
const exponentBits = 0x45
const lowerCase = 0x20

const isDigit = (unit: number): boolean => unit >= digit0 && unit <= digit9

/** A number with fewer digits before its point is held; so is one with fewer zeros behind it. */
const digitsSafe = 15
const zeros = "0".repeat(digitsSafe + 1)
/** An exponent with fewer digits leads to 0 or beyond the range only from such a number. */
const exponentSafe = /[eE][-+]?\d{1,2}(?!\d)/uy

/** Finds every number that may not be held, and texts that look like one, faster than a loop. */
const suspicious = /\d{16}|\.0{16}|\d[eE][-+]?\d{3}/u

/**
 * Whether a key of a text of JSON may have an escape, or a number may not be what it becomes. Most
 * texts are told to be plain; the others may be.
 */
const needsReading = (text: string): boolean => {
  if (text.includes("\\")) return true
  if (!suspicious.test(text)) return false
  let at = 0
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === quote) at = text.indexOf("\"", at + 1) + 1
    else if (isDigit(unit)) {
      const start = at
      while (isDigit(text.charCodeAt(at))) at++
      if (at - start > digitsSafe) return true
      if (text.charCodeAt(at) === point) {
        if (text.startsWith(zeros, at + 1)) return true
        do at++
        while (isDigit(text.charCodeAt(at)))
      }
      if ((text.charCodeAt(at) & ~lowerCase) === exponentBits) {
        exponentSafe.lastIndex = at
        if (!exponentSafe.test(text)) return true
      }
    } else at++
  }
  return false
}
