/**
 * Writes JSON in one form only: keys in code-unit order, no white space, no -0, numbers as
 * JavaScript writes doubles (RFC 8785).
 *
 * Values travel and rest as this text. Nodes compare and hash it, and never need to parse values
 * that they only store. Values that JSON or JavaScript would change on the way (infinite numbers,
 * dates, lone surrogates), or that would break a reader (deep nesting, `__proto__`), are refused
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
  /** Whether a field holds `undefined`, which the text leaves out. */
  leavesOut: boolean
}

const budget = (): Budget => ({ nodes: 0, leavesOut: false })

const text = (value: string, path: string): string => {
  if (!value.isWellFormed()) throw new InvalidJson(path, "text with a lone surrogate")
  return JSON.stringify(value)
}

const number = (value: number, path: string): string => {
  if (!Number.isFinite(value)) throw new InvalidJson(path, `a number that is not finite: ${value}`)
  return value === 0 ? "0" : String(value)
}

/** A `Date` or a `Map` has no fields of its own: it would be stored as `{}`. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const object = (value: object, path: string, depth: number, budget: Budget): string => {
  if (value instanceof Json.Misread) throw new InvalidJson(path, value.problem)
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
export const encode = (value: unknown): string => write(value, "$", 0, budget())

/**
 * Refuses what `encode` refuses. Throws `InvalidJson`. Returns whether the text leaves out a field,
 * as it does where the field holds `undefined`.
 *
 * **Why** a client sends the value by `JSON.stringify`, which would leave out or change such parts,
 * and the node makes the canonical text.
 */
export const check = (value: unknown): boolean => {
  const seen = budget()
  if (!isStorable(value, 0, seen)) encode(value)
  return seen.leavesOut
}

/** Whether `write` takes the value; it names no fault, and so needs no paths on the way. */
const isStorable = (value: unknown, depth: number, budget: Budget): boolean => {
  if (++budget.nodes > nodesMax) return false
  switch (typeof value) {
    case "string":
      return value.isWellFormed()
    case "number":
      return Number.isFinite(value)
    case "boolean":
      return true
    case "object": {
      if (value === null) return true
      if (depth >= depthMax) return false
      if (Array.isArray(value)) return areStorable(value, depth, budget)
      return isPlain(value) && hasStorableFields(value, depth, budget)
    }
    default:
      return false
  }
}

const areStorable = (items: ReadonlyArray<unknown>, depth: number, budget: Budget): boolean => {
  // `every` would skip the holes of a sparse array.
  for (const item of items) if (!isStorable(item, depth + 1, budget)) return false
  return true
}

const hasStorableFields = (value: object, depth: number, budget: Budget): boolean => {
  const entries: ReadonlyArray<readonly [string, unknown]> = Object.entries(value)
  return entries.every(([name, field]) => {
    if (field !== undefined) {
      return name !== "__proto__" && name.isWellFormed() && isStorable(field, depth + 1, budget)
    }
    budget.leavesOut = true
    return true
  })
}

/** The value of a canonical text. */
export const decode = (canonical: string): Json.Json => Json.parse(canonical)

/** A value by its canonical text: it is not encoded again, and nobody else can change it. */
export class Canonical {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  get json(): Json.Json {
    return decode(this.text)
  }
}

/** Whether a JSON value is an object with fields. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
