// Checks which values the entry points export, and that their codecs answer any input by a result:
// none throws, and none gives undefined.
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as schemas from "../../schemas/index.ts"
import * as effectApi from "../../src/effect.ts"
import * as promiseApi from "../../src/index.ts"
import * as server from "../../src/server.ts"
import * as testing from "../../src/testing/index.ts"

const { Bucket, Crdt, Key } = promiseApi

/** Functions and values, those of a namespace behind its name; no schemas and no errors. */
const exportsOf = (module: object): ReadonlyArray<string> =>
  Object.entries(module).flatMap(([name, value]) => {
    if (name === "Schema") return []
    if (Object.prototype.toString.call(value) === "[object Module]") {
      return exportsOf(value).map((inner) => `${name}.${inner}`)
    }
    return Schema.isSchema(value) || value.prototype instanceof Error ? [] : [name]
  })

const declarations = [
  "Bucket.crdt",
  "Bucket.lww",
  "Bucket.merge",
  "Bucket.reservedNames",
  "Bucket.siblings",
  "Crdt.counter",
  "Crdt.document",
  "Crdt.map",
  "Crdt.register",
  "Crdt.set",
  "Key.make",
  "Key.text",
  "fromStandardSchema"
]
const ofEntries = ["contextOf", "isPassing", "mayHaveApplied", "toJson", "viewOf"]

describe("the values that an entry point exports", () => {
  it.each([
    ["everwrite", promiseApi, [...declarations, ...ofEntries, "connect", "connectHttp"]],
    ["everwrite/effect", effectApi, [...declarations, ...ofEntries, "Everwrite", "layerNats"]],
    ["everwrite/server", server, ["EverwriteNode", "defineConfig", "startBroker", "startNode"]],
    ["everwrite/testing", testing, [
      "checkBucket",
      "checkBucketPromise",
      "simulate",
      "simulatePromise",
      "startTestCluster"
    ]],
    // Schemas decode with the functions of Effect, which give results, and need no others.
    ["everwrite/schemas", schemas, [
      "ClientRequest.itemsMax",
      "ClientRequest.markPattern",
      "ClientRequest.sessionLengthMax",
      "ClientRequest.triedMax",
      "ClusterDescription.ownersVersion"
    ]]
  ])("are known: %s", (_, module, expected) => {
    expect([...exportsOf(module)].sort()).toEqual([...expected].sort())
  })
})

const value = Schema.Struct({ at: Schema.Date, tags: Schema.Array(Schema.String) })
const day = Key.make({ partition: { user: Schema.String }, sort: { day: Schema.Date } })

/** One of each kind, with values that are not their own JSON. */
const buckets = [
  Bucket.lww("lww", { key: Key.text, value }),
  Bucket.siblings("siblings", { key: day, value }),
  Bucket.merge("merge", { key: day, value, merge: (left) => left }),
  Bucket.crdt("crdt", {
    key: Key.text,
    type: Crdt.document({
      lines: Crdt.map(Crdt.counter),
      days: Crdt.set(Schema.Date),
      coupon: Crdt.register(Schema.String)
    })
  })
]

/** Of a bucket, by name. What is not here must not be in its types. */
const codecsOf = (bucket: Record<string, any>): Record<string, (input: any) => unknown> => ({
  "key.toJson": bucket["key"].toJson,
  "key.fromJson": bucket["key"].fromJson,
  ...bucket["name"] === "crdt" ? {} : { encodeValue: bucket["encodeValue"] },
  decodeView: (input) => bucket["decodeView"](Array.isArray(input) ? input : [input])
})

const wild = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }),
  fc.jsonValue(),
  fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes))
)

describe("a codec of a bucket", () => {
  const all = buckets.flatMap((bucket) =>
    Object.entries(codecsOf(bucket)).map(([name, codec]) => [bucket.name, name, codec] as const)
  )

  it.each(all)("gives a result for any input: %s %s", (_bucket, _name, codec) => {
    fc.assert(fc.property(wild, (input) => Result.isResult(codec(input))))
  })

  it("brings back what it wrote", () => {
    const profiles = Bucket.lww("profiles", { key: day, value })
    const instant = fc.date({ noInvalidDate: true })
    fc.assert(fc.property(instant, fc.array(fc.string()), fc.string(), (at, tags, user) => {
      const json = Result.getOrThrow(profiles.encodeValue({ at, tags }))
      expect(Result.getOrThrow(profiles.decodeView([json]))).toEqual({ at, tags })
      const key = Result.getOrThrow(profiles.key.toJson({ user, day: at }))
      expect(Result.getOrThrow(profiles.key.fromJson(key))).toEqual({ user, day: at })
    }))
  })

  it("says the place of a fault", () => {
    const refused = buckets[0]!.decodeView([{ at: "2026-01-01T00:00:00Z", tags: ["a", 2] }])
    expect(refused).toMatchObject({ failure: { path: "$.tags[1]" } })
  })
})

describe("toJson", () => {
  it("gives a result for any view where programs use Effect", () => {
    fc.assert(fc.property(wild, (view) => Result.isResult(effectApi.toJson(view))))
  })

  it("throws an error of the store, and no other, where programs use Promises", () => {
    fc.assert(fc.property(wild, (view) => {
      try {
        promiseApi.toJson(view)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(promiseApi.InvalidRequest)
      }
    }))
  })

  it("fails an effect that is made of its result", () => {
    const program = Effect.gen(function*() {
      return yield* Effect.fromResult(effectApi.toJson({ at: NaN }))
    })
    const error = Effect.runSync(Effect.flip(program))
    expect(error).toBeInstanceOf(promiseApi.InvalidRequest)
  })
})
