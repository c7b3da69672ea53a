// Checks that schemas of another copy of `effect` are refused where a bucket is declared: with a
// real second copy, as npm installs one where two packages ask for different versions.
import * as Schema from "effect/Schema"
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Bucket from "../../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../../src/core/strategy/Crdt.ts"
import * as Key from "../../../src/core/strategy/Key.ts"
import { Schema as Exported } from "../../../src/index.ts"

const installed = fileURLToPath(new URL("../../../node_modules/effect", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "everwrite-effect-"))

let Foreign: typeof Schema
beforeAll(async () => {
  const copy = join(folder, "node_modules/effect")
  mkdirSync(copy, { recursive: true })
  cpSync(join(installed, "package.json"), join(copy, "package.json"))
  cpSync(join(installed, "dist"), join(copy, "dist"), {
    recursive: true,
    filter: (path) => !path.endsWith(".map") && !path.endsWith(".d.ts")
  })
  Foreign = await import(pathToFileURL(join(copy, "dist/Schema.js")).href)
})
afterAll(() => rmSync(folder, { recursive: true }))

const key = Key.text
const refusal = "another copy of effect"

describe("a schema of another copy of effect", () => {
  it("is refused by every declaration", () => {
    const value = Foreign.Json
    const declarations = [
      () => Bucket.lww("b", { key, value }),
      () => Bucket.siblings("b", { key, value }),
      () => Bucket.merge("b", { key, value, merge: (left) => left }),
      () => Crdt.register(value),
      () => Crdt.set(value),
      () => Key.make({ partition: { id: Foreign.String } })
    ]
    for (const declare of declarations) {
      expect(declare).toThrow(Crdt.InvalidDeclaration)
      expect(declare).toThrow(refusal)
    }
  })

  it("is refused wherever it stands in a schema of this copy", () => {
    const inner = Foreign.String
    const schemas: ReadonlyArray<Schema.Codec<any, any>> = [
      Schema.Struct({ a: Schema.Struct({ b: inner }) }),
      Schema.Array(inner),
      Schema.Tuple([Schema.Int, inner]),
      Schema.Record(Schema.String, inner),
      Schema.Union([Schema.Int, inner]),
      Schema.Option(inner),
      Schema.suspend(() => Schema.NullOr(inner)),
      Schema.String.check(Foreign.isMaxLength(3)),
      Schema.String.pipe(Schema.decodeTo(inner))
    ]
    for (const value of schemas) {
      expect(() => Bucket.lww("b", { key, value })).toThrow(refusal)
    }
  })

  it("is refused as a whole, though its parts are of this copy", () => {
    const value = Foreign.Struct({ a: Schema.String })
    expect(() => Bucket.lww("b", { key, value })).toThrow(refusal)
  })
})

describe("a schema of this copy", () => {
  it("is made by the Schema that everwrite exports", () => {
    expect(Exported).toBe(Schema)
  })

  it("may be any, of any shape, and refer to itself", () => {
    interface Tree {
      readonly children: ReadonlyArray<Tree>
    }
    const tree: Schema.Codec<Tree> = Schema.Struct({
      children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => tree))
    })
    class Person extends Schema.Class<Person>("Person")({ name: Schema.String }) {}
    const schemas: ReadonlyArray<Schema.Codec<any, any>> = [
      tree,
      Person,
      Schema.Date,
      Schema.Option(Schema.Int),
      Schema.TemplateLiteral(["a", Schema.Int]),
      Schema.ReadonlyMap(Schema.String, Schema.BigInt),
      Schema.NumberFromString.check(Schema.isGreaterThan(1)),
      Schema.String.pipe(Schema.brand("id"))
    ]
    for (const value of schemas) expect(Bucket.lww("b", { key, value }).name).toBe("b")
  })
})

it("what is no schema is refused by its declaration", () => {
  const value: any = { ast: "none" }
  expect(() => Bucket.lww("b", { key, value })).toThrow("expected a schema")
})
