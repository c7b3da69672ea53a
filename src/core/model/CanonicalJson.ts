/**
 * Writes JSON in one form only: keys in code-unit order, no white space, no -0.
 *
 * Values travel and rest as this text. Nodes compare and hash it, and never need to parse values
 * that they only store. Values that JSON or JavaScript would change on the way (9007199254740993,
 * 1e400, lone surrogates), or that would break a reader (deep nesting, `__proto__`), are refused
 * here, before they enter the store, because a join cannot be undone.
 */
import * as Json from "../codec/Json.ts"

/** Deepest nesting of arrays and objects in a value. */
export const depthMax = 32

/** Most numbers, strings, arrays, ... in one value. */
export const nodesMax = 100_000

/** A value that cannot be stored: where (a JSON path such as `$.items[2]`) and why. */
export class InvalidJson extends Error {
  override readonly name = "InvalidJson"
  readonly path: string
  readonly problem: string
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`)
    this.path = path
    this.problem = problem
  }
}

interface Budget {
  nodes: number
}

const text = (value: string, path: string): string => {
  if (!value.isWellFormed()) throw new InvalidJson(path, "text with a lone surrogate")
  return JSON.stringify(value)
}

const number = (value: number, path: string): string => {
  if (!Number.isFinite(value)) throw new InvalidJson(path, `a number that is not finite: ${value}`)
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new InvalidJson(path, `an integer beyond 2^53 - 1: ${value}; send it as text`)
  }
  return value === 0 ? "0" : String(value)
}

/** A `Date` or a `Map` has no fields of its own: it would be stored as `{}`. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const object = (value: object, path: string, depth: number, budget: Budget): string => {
  if (!isPlain(value)) throw new InvalidJson(path, "an object of a class, which JSON cannot hold")
  const fields: Array<string> = []
  const entries: ReadonlyArray<readonly [string, unknown]> = Object.entries(value)
  for (const [key, field] of entries.toSorted((a, b) => (a[0] < b[0] ? -1 : 1))) {
    if (field === undefined) continue
    if (key === "__proto__") throw new InvalidJson(path, "a field named __proto__")
    const at = `${path}.${key}`
    fields.push(`${text(key, at)}:${write(field, at, depth + 1, budget)}`)
  }
  return `{${fields.join(",")}}`
}

const write = (value: unknown, path: string, depth: number, budget: Budget): string => {
  if (++budget.nodes > nodesMax) throw new InvalidJson(path, `more than ${nodesMax} values`)
  if (value === null) return "null"
  switch (typeof value) {
    case "string":
      return text(value, path)
    case "number":
      return number(value, path)
    case "boolean":
      return value ? "true" : "false"
    case "object": {
      if (depth >= depthMax) throw new InvalidJson(path, `nested deeper than ${depthMax} levels`)
      if (!Array.isArray(value)) return object(value, path, depth, budget)
      // `map` would skip the holes of a sparse array and write text that is not JSON.
      const items = Array.from(value, (item, i) => write(item, `${path}[${i}]`, depth + 1, budget))
      return `[${items.join(",")}]`
    }
    default:
      throw new InvalidJson(path, `${typeof value}, which JSON cannot hold`)
  }
}

/** The canonical text of a JSON value. Throws `InvalidJson`; absent fields are left out. */
export const encode = (value: unknown): string => write(value, "$", 0, { nodes: 0 })

/** The value of a canonical text. */
export const decode = (canonical: string): Json.Json => Json.parse(canonical)

/** Whether a JSON value is an object with fields. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
