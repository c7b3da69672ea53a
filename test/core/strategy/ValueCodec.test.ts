// Checks the border between the values of an application and the JSON that is stored of them.
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as ValueCodec from "../../../src/core/strategy/ValueCodec.ts"

/** The refusal, as path and problem; undefined where there is none. */
const refusal = (act: () => unknown): string | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof ValueCodec.SchemaMismatch) return error.message
    throw error
  }
}

const any: ValueCodec.ValueCodec<any> = ValueCodec.make(Schema.Any)
const json: ValueCodec.ValueCodec<any> = ValueCodec.make(Schema.Json)
const person: ValueCodec.ValueCodec<any> = ValueCodec.make(
  Schema.Struct({ name: Schema.String, born: Schema.optionalKey(Schema.Date), notes: Schema.Json })
)

describe("a value is refused with the path to its fault", () => {
  it.each<[name: string, codec: ValueCodec.ValueCodec<any>, value: unknown, refused: RegExp]>([
    ["a map", any, { a: [new Map()] }, /^\$\.a\[0\]: an object of a class/u],
    ["a date", json, { at: new Date(0) }, /^\$\.at: an object of a class/u],
    ["an infinite number", json, [[Infinity]], /^\$\[0\]\[0\]: a number that is not finite/u],
    ["a number that is none", person, { name: "a", notes: { x: NaN } }, /^\$\.notes\.x: /u],
    ["a lone surrogate", person, { name: "\ud800", notes: 1 }, /^\$\.name: .*surrogate/u],
    ["nothing at all", any, undefined, /^\$: undefined/u],
    [
      "a property that the schema does not name",
      person,
      { name: "a", notes: 1, x: 1 },
      /^\$\.x: /u
    ],
    ["a value of another type", person, { name: 1, notes: 1 }, /^\$\.name: /u],
    [
      "a property that must be there and holds nothing",
      ValueCodec.make(Schema.Array(Schema.Struct({ é: Schema.Any, b: Schema.Boolean }))),
      [{ é: undefined, b: false }],
      /^\$\[0\]\.é: /u
    ],
    ["an invalid date", person, { name: "a", notes: 1, born: new Date(NaN) }, /^\$\.born: /u]
  ])("%s", (_, codec, value, refused) => {
    expect(refusal(() => codec.encode(value))).toMatch(refused)
  })
})

describe("JSON that comes without types", () => {
  it("is brought into the one form that the value has", () => {
    const given = { notes: null, born: "1970-01-01", name: "Ada" }
    const normal = { name: "Ada", born: "1970-01-01T00:00:00.000Z", notes: null }
    expect(person.normalize(given)).toEqual(normal)
    expect(person.normalize(normal)).toEqual(normal)
  })

  it("is refused where it is not all of a value", () => {
    expect(refusal(() => person.normalize({ name: "a", notes: 1, x: 1 }))).toMatch(/^\$\.x: /u)
    expect(refusal(() => person.normalize({ name: "a", notes: 1, born: "nope" })))
      .toMatch(/^\$\.born: /u)
  })

  it("is the alternative that has all its properties", () => {
    const cat = Schema.Struct({ name: Schema.String })
    const oldCat = Schema.Struct({ name: Schema.String, age: Schema.Int })
    const cats: ValueCodec.ValueCodec<any> = ValueCodec.make(Schema.Union([cat, oldCat]))
    const tom = { name: "Tom", age: 3 }
    expect([cats.normalize(tom), cats.encode(tom), cats.decode(tom)]).toEqual([tom, tom, tom])
  })
})

it("a property that may be absent is stored as absent where it holds nothing", () => {
  for (const stored of [any.encode, any.encodeResult].map((encode) => encode({ c: undefined }))) {
    expect(Object.keys(stored!)).toEqual([])
  }
})

it("the result of a merge is refused where its stored form could not be read", () => {
  const whole: ValueCodec.ValueCodec<any> = ValueCodec.make(Schema.Struct({ a: Schema.Any }))
  expect(refusal(() => whole.encodeResult({ a: undefined }))).toMatch(/^\$\.a: /u)
})

it("a stored value is read without the properties that its schema does not name", () => {
  expect(person.decode({ name: "Ada", notes: 1, x: 1 })).toEqual({ name: "Ada", notes: 1 })
})
