// Checks that values may be declared by any Standard Schema, where that loses nothing.
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Bucket from "../../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../../src/core/strategy/Crdt.ts"
import {
  fromStandardSchema,
  type StandardSchema
} from "../../../src/core/strategy/FromStandardSchema.ts"
import { InvalidDeclaration } from "../../../src/core/strategy/InvalidDeclaration.ts"
import * as Key from "../../../src/core/strategy/Key.ts"
import * as ValueCodec from "../../../src/core/strategy/ValueCodec.ts"

interface Profile {
  readonly name: string
  readonly tags?: ReadonlyArray<string>
}

type Outcome<A> = ReturnType<StandardSchema<A>["~standard"]["validate"]>

const standard = <A>(validate: (value: any) => Outcome<A>): StandardSchema<A> => ({
  "~standard": { version: 1, vendor: "test", validate }
})

/** As a library writes it: by hand, so that no library is needed to test. */
const profile = standard<Profile>((value) => {
  if (typeof value?.name !== "string") {
    return { issues: [{ message: "expected a text", path: ["name"] }] }
  }
  const wrong = (value.tags ?? []).findIndex((tag: unknown) => typeof tag !== "string")
  if (wrong === -1) return { value }
  return { issues: [{ message: "expected a text", path: [{ key: "tags" }, wrong] }] }
})

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (thrown) {
    return thrown
  }
}

const fingerprintOf = (version?: number) =>
  Bucket.lww("profiles", {
    key: Key.text,
    value: fromStandardSchema(profile, version === undefined ? {} : { version })
  }).fingerprint

describe("a Standard Schema", () => {
  const codec = ValueCodec.make(fromStandardSchema(profile))

  it("takes values that it gives back unchanged, and reads them back", () => {
    const value = { name: "Ada", tags: ["a"] }
    expect(codec.encode(value)).toEqual(value)
    expect(codec.decode({ name: "Ada" })).toEqual({ name: "Ada" })
    expect(codec.normalize({ tags: [], name: "Ada" })).toEqual({ name: "Ada", tags: [] })
  })

  it("refuses others with their path, on writing and on reading", () => {
    for (const act of [codec.encode, codec.decode, codec.normalize]) {
      const value: any = { name: "Ada", tags: ["a", 7] }
      expect(thrownBy(() => act(value))).toMatchObject({
        name: "SchemaMismatch",
        path: "$.tags[1]",
        problem: expect.stringContaining("expected a text")
      })
    }
  })

  it("refuses a value that it changes: a default, a trimmed text, a property left out", () => {
    const changes = [
      standard<Profile>((value) => ({ value: { tags: [], ...value } })),
      standard<Profile>((value) => ({ value: { ...value, name: value?.name?.trim() } })),
      standard<Profile>((value) => ({ value: { name: value?.name } })),
      standard<any>((value) => ({ value: { ...value, at: new Date(0) } }))
    ]
    for (const [index, schema] of changes.entries()) {
      const changing = ValueCodec.make(fromStandardSchema(schema))
      const value: any = [{ name: "a" }, { name: " a" }, { name: "a", tags: [] }, {}][index]
      expect(thrownBy(() => changing.encode(value)))
        .toMatchObject({ problem: expect.stringContaining("changes this value") })
    }
  })

  it("refuses a value that is no JSON", () => {
    const any = ValueCodec.make(fromStandardSchema(standard<unknown>((value) => ({ value }))))
    for (const value of [new Date(), new Map(), NaN, 1n]) {
      expect(thrownBy(() => any.encode(value))).toMatchObject({ name: "SchemaMismatch" })
    }
  })

  it("is refused where a bucket is declared, if it answers later or is none", () => {
    const later = standard<string>(async (value) => ({ value }))
    expect(() => fromStandardSchema(later)).toThrow(InvalidDeclaration)
    const others: ReadonlyArray<any> = [{ "~standard": {} }, {}, null]
    for (const none of others) {
      expect(() => fromStandardSchema(none)).toThrow(InvalidDeclaration)
    }
  })

  it("that answers later for some values refuses these", () => {
    const sometimes = standard<string>((value) =>
      value === "later" ? Promise.resolve({ value }) : { value }
    )
    const codec = ValueCodec.make(fromStandardSchema(sometimes))
    expect(codec.encode("now")).toBe("now")
    expect(thrownBy(() => codec.encode("later")))
      .toMatchObject({ problem: expect.stringContaining("answers later") })
  })

  it("is told apart by its version in the fingerprint, and from other schemas", () => {
    expect(fingerprintOf()).toBe(fingerprintOf(1))
    expect(fingerprintOf(2)).not.toBe(fingerprintOf(1))
    expect(Bucket.lww("profiles", { key: Key.text, value: Schema.Json }).fingerprint)
      .not.toBe(fingerprintOf())
  })

  it("serves in data types and merges as other schemas do", () => {
    const value = fromStandardSchema(profile)
    expect(Bucket.crdt("p", { key: Key.text, type: Crdt.set(value) }).surface).toEqual(["edit"])
    const merged = Bucket.merge("p", { key: Key.text, value, merge: (left) => left })
    expect(merged.code.decodeView([{ name: "Ada" }])).toEqual({ name: "Ada" })
  })
})
