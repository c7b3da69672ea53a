/**
 * Shows which buckets, types and keys can be declared, and what the names of operations are.
 */
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { isOperationName, stepsMax } from "../../../src/core/model/OperationName.ts"
import * as Bucket from "../../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../../src/core/strategy/Crdt.ts"
import * as CrdtStrategy from "../../../src/core/strategy/CrdtStrategy.ts"
import * as Key from "../../../src/core/strategy/Key.ts"

const line = Crdt.document({ quantity: Crdt.counter, note: Crdt.register(Schema.String) })

const everyType = Crdt.document({
  total: Crdt.counter,
  tags: Crdt.set(Schema.String),
  title: Crdt.register(Schema.String),
  lines: Crdt.map(line),
  shelves: Crdt.map(Crdt.map(Crdt.map(Crdt.counter)))
})

describe("the operations of a data type", () => {
  it("are named by the fields on the way; those below a map of maps are reached by inner", () => {
    expect([...everyType.arguments.keys()]).toEqual([
      "total.add",
      "tags.add",
      "tags.remove",
      "title.set",
      "title.clear",
      "lines.quantity.add",
      "lines.note.set",
      "lines.note.clear",
      "lines.drop",
      "shelves.inner.inner.add",
      "shelves.inner.inner.drop",
      "shelves.inner.drop",
      "shelves.drop"
    ])
  })

  it("are the same, with as many arguments, with the application's code and without", () => {
    const { operations } = CrdtStrategy.make(everyType.definition)
    const withCode = [...everyType.arguments].map(([name, codecs]) => [name, codecs.length])
    const without = [...operations].map(([name, { args }]) => [name, args.length])
    expect(without).toEqual([...withCode, ["delete", 0]])
  })
})

/** A type in so many documents, each with one field. */
const inDocuments = (count: number, type: Crdt.CrdtType<any, any>): Crdt.CrdtType<any, any> =>
  count === 0 ? type : Crdt.document({ f: inDocuments(count - 1, type) })

describe("a data type", () => {
  it("is refused where no name of an operation can lead to its innermost part", () => {
    const leaves: ReadonlyArray<Crdt.CrdtType<any, any>> = [
      Crdt.counter,
      Crdt.set(Schema.String),
      Crdt.map(Crdt.counter)
    ]
    for (const leaf of leaves) {
      const deepest = inDocuments(stepsMax - 1, leaf)
      for (const name of deepest.arguments.keys()) expect(isOperationName(name)).toBe(true)
      expect(() => inDocuments(stepsMax, leaf)).toThrow(Crdt.InvalidDeclaration)
      expect(() => inDocuments(stepsMax, leaf)).toThrow("nested deeper")
      expect(() => inDocuments(stepsMax - 1, Crdt.map(Crdt.map(leaf)))).toThrow("nested deeper")
    }
  })

  it("is refused where it is a document without fields: nothing could be written to it", () => {
    expect(() => Crdt.document({})).toThrow("a document needs a field")
  })

  it("has an operation for each of its parts, whichever names its fields bear", () => {
    const entry = { drop: Crdt.counter, inner: Crdt.counter, constructor: Crdt.set(Schema.String) }
    expect([...Crdt.map(Crdt.document(entry)).arguments.keys()]).toEqual([
      "inner.drop.add",
      "inner.inner.add",
      "inner.constructor.add",
      "inner.constructor.remove",
      "drop"
    ])
    expect([...Crdt.map(Crdt.document({ inner: Crdt.counter })).arguments.keys()])
      .toEqual(["inner.add", "drop"])
  })

  it("tells a register that holds null from one that was cleared", () => {
    const register = Crdt.register(Schema.NullOr(Schema.String))
    expect(register.decodeView(null)).toBeNull()
    expect(register.decodeView("x")).toBe("x")
    expect(Crdt.register(Schema.String).decodeView(null)).toBeUndefined()
    const view = Crdt.document({ constructor: Crdt.register(Schema.String) }).decodeView({})
    expect(view).toEqual({ constructor: undefined })
  })
})

describe("a bucket of a data type", () => {
  it("may be a map of maps", () => {
    const type = Crdt.map(Crdt.map(Crdt.counter))
    const bucket = Bucket.crdt("shelves", { key: Key.text, type })
    expect(bucket.code.arguments.has("inner.add")).toBe(true)
  })

  it("is refused where a field bears the name of a handle's own method", () => {
    const type: Crdt.CrdtType<unknown, any> = Crdt.document({ entry: Crdt.counter })
    expect(() => Bucket.crdt("b", { key: Key.text, type })).toThrow("no field may be named entry")
  })
})

describe("a bucket whose defaults no replicas can meet", () => {
  it.each([
    [{ w: 4 }, "w is 4, expected one, quorum, all, or an integer from 1 to 3"],
    [{ n: 2, r: 3 }, "r is 3, expected one, quorum, all, or an integer from 1 to 2"],
    [{ r: 0 }, "r is 0"],
    [{ pw: -1 }, "pw is -1, expected one, quorum, all, or an integer from 0 to 3"],
    [{ dw: 1.5 }, "dw is 1.5"]
  ])("is refused: %j", (options, problem) => {
    const declare = () => Bucket.lww("b", { key: Key.text, value: Schema.String, ...options })
    expect(declare).toThrow(`bucket b: ${problem}`)
  })

  it("is no bucket with others", () => {
    const options = { key: Key.text, value: Schema.String, r: 1, w: 3, pr: 0, dw: "all" } as const
    expect(Bucket.lww("b", options).definition.defaults).toEqual({ r: 1, w: 3, pr: 0, dw: "all" })
  })
})

/** How a key field with this schema is stored. */
const stored = (schema: Key.KeyField) =>
  Key.make({ partition: { field: schema } }).definition.partition[0]![1]

describe("a key field", () => {
  it("is stored as text or as an integer, as its schema encodes it", () => {
    expect(stored(Schema.String)).toBe("text")
    expect(stored(Schema.DateFromString)).toBe("text")
    expect(stored(Schema.Literals(["eu", "us"]))).toBe("text")
    expect(stored(Schema.Int)).toBe("integer")
  })

  it("may have a schema with an identifier", () => {
    const tenant = Schema.String.annotate({ identifier: "acme/Tenant Id~" })
    expect(stored(tenant)).toBe("text")
  })

  it("has one text for each value, and none for what is no value", () => {
    const key = Key.make({ partition: { day: Schema.Date }, sort: { n: Schema.NumberFromString } })
    expect(key.codec.normalize({ n: "1.0", day: "1970-01-01" }))
      .toEqual({ day: "1970-01-01T00:00:00.000Z", n: "1" })
    expect(() => key.codec.normalize({ day: "1970-01-01", n: "nope" })).toThrow("$.n: not a number")
    expect(() => key.codec.encode({ day: new Date(0), n: NaN })).toThrow("$.n: not a number")
    expect(() => key.codec.normalize({ day: "nope", n: "1" })).toThrow("$.day: ")
  })

  it("does not bear a name that would set the prototype of the key", () => {
    expect(() => Key.make({ partition: { ["__proto__"]: Schema.String } })).toThrow("__proto__")
  })

  it("is refused where it is neither", () => {
    expect(() => stored(Schema.Finite)).toThrow("a key field is stored as text or as an integer")
  })
})
