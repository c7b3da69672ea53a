// Checks that the schemas which the OpenAPI document has of an application's keys and values are
// those by which the node takes and refuses them.
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Profile } from "../../schemas/Profile.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import type { BucketCode } from "../../src/core/strategy/BucketCode.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { sampleBuckets } from "../../src/node/SampleBuckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { validates } from "./jsonSchema.ts"
import { call, startServer, type TestServer } from "./served.ts"

interface Tree {
  readonly name: string
  readonly children: ReadonlyArray<Tree>
}

const Tree: Schema.Codec<Tree> = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree/of~names", examples: [{ name: "oak", children: [] }] })

const day = Key.make({
  partition: { user: Schema.String },
  sort: { day: Schema.Literals(["monday", "sunday"]) }
})

const own = [
  Bucket.lww("profiles", { key: Key.text, value: Profile }),
  Bucket.merge("trees", { key: day, value: Tree, merge: (left) => left }),
  Bucket.lww("amounts", {
    key: Key.text,
    value: Schema.Struct({ total: Schema.BigInt.annotate({ examples: [12n] }) })
  }),
  Bucket.crdt("themes", {
    key: Key.text,
    type: Crdt.map(Crdt.map(Crdt.document({
      theme: Crdt.register(Schema.Literals(["light", "dark"])),
      seen: Crdt.set(Schema.Int)
    })))
  })
]
const buckets = [...sampleBuckets, ...own]

let cluster: MemoryCluster
let server: TestServer
let document: any

beforeAll(async () => {
  cluster = await makeCluster({ nodes: 3, buckets })
  const codes = new Map<string, BucketCode>(buckets.map(({ code, name }) => [name, code]))
  server = await startServer({
    backend: cluster.backends[0]!,
    codeOf: (bucket) => codes.get(bucket)
  })
  document = await (await call(server, "/openapi.json")).json()
})
afterAll(async () => {
  await server.stop()
  cluster.stop()
})

const path = (bucket: string, operation?: string): string =>
  `/v1/buckets/${bucket}/docs${operation === undefined ? "" : `/ops/${operation}`}`

const operationAt = (bucket: string, operation?: string): any =>
  document.paths[path(bucket, operation)][operation === undefined ? "put" : "post"]

const bodyAt = (bucket: string, operation?: string): any =>
  operationAt(bucket, operation).requestBody.content["application/json"]

const keyAt = (bucket: string, operation?: string): any => {
  const parameter = operationAt(bucket, operation).parameters.find(({ name }: any) =>
    name === "key"
  )
  return parameter.content?.["application/json"] ?? parameter
}

const textOf = (key: unknown): string => typeof key === "string" ? key : JSON.stringify(key)

const send = async (bucket: string, operation: string | undefined, sent: {
  readonly key: unknown
  readonly json: unknown
}): Promise<number> => {
  const { json, key } = sent
  const method = operation === undefined ? "PUT" : "POST"
  const asked = { method, query: { key: textOf(key) }, json }
  const response = await call(server, path(bucket, operation), asked)
  await response.arrayBuffer()
  return response.status
}

const takes = (schema: any, value: unknown): boolean =>
  validates(document.components.schemas, schema, value)

/** JSON that a schema of these tests may just take, or just not. */
const texts = fc.oneof(fc.constantFrom("light", "dark", "", "monday", "12"), fc.string())
const treesOf = (children: fc.Arbitrary<unknown>) =>
  fc.record({ name: fc.oneof(texts, fc.integer()), children })
const leaves = treesOf(fc.constant([]))
const trees = fc.oneof(leaves, treesOf(fc.array(leaves, { maxLength: 2 })))
const profiles = fc.record(
  { name: texts, email: texts, theme: texts, total: texts, children: fc.constant([]) },
  { requiredKeys: ["name"] }
)
const near = fc.oneof(
  texts,
  fc.integer(),
  fc.constantFrom(null, 0.5, true, {}),
  fc.array(fc.oneof(texts, fc.integer()), { maxLength: 2 }),
  profiles,
  fc.record({ name: texts, theme: fc.constantFrom("light", "dark", "none") }),
  fc.record({ total: fc.oneof(texts, fc.bigInt().map(String)) }),
  fc.dictionary(texts, fc.integer(), { maxKeys: 2 }),
  trees
).map((value) => JSON.parse(JSON.stringify(value)))

const puts = ["notes", "scratch", "profiles", "trees", "amounts"]
const operations: ReadonlyArray<readonly [string, string]> = [
  ["carts", "coupon.set"],
  ["carts", "lines.add"],
  ["visits", "add"],
  ["themes", "inner.theme.set"],
  ["themes", "inner.seen.add"]
]

describe("the schema of a value in the OpenAPI document", () => {
  it.each(puts)("takes and refuses as a put does: %s", async (bucket) => {
    const { example: key } = keyAt(bucket)
    const { example, schema } = bodyAt(bucket)
    const seen = { taken: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(near, async (json) => {
        const expected = takes(schema, json)
        seen[expected ? "taken" : "refused"]++
        expect(await send(bucket, undefined, { key, json })).toBe(expected ? 200 : 422)
      }),
      { examples: [[example], [null]] }
    )
    expect(seen.taken).toBeGreaterThan(0)
    if (bucket !== "scratch") expect(seen.refused).toBeGreaterThan(0)
  })

  it.each(operations)("takes and refuses as the operation does: %s %s", async (bucket, name) => {
    const { example, schema } = bodyAt(bucket, name)
    const { example: key } = keyAt(bucket, name)
    await fc.assert(fc.asyncProperty(near, async (last) => {
      const json = [...example.slice(0, -1), last]
      const status = await send(bucket, name, { key, json })
      expect(status, JSON.stringify(json)).toBe(takes(schema, json) ? 200 : 422)
    }))
  })

  it("takes and refuses the keys that the node does", async () => {
    const { schema } = keyAt("trees")
    const { example: json } = bodyAt("trees")
    const keys = fc.record(
      { user: fc.oneof(texts, fc.integer()), day: texts, more: fc.integer() },
      { requiredKeys: ["day"] }
    )
    const all = fc.oneof(
      keys,
      fc.record({ user: fc.string({ minLength: 1 }), day: fc.constantFrom("monday", "sunday") })
    )
    await fc.assert(fc.asyncProperty(all, async (key) => {
      const status = await send("trees", undefined, { key, json })
      expect(status, JSON.stringify(key)).toBe(takes(schema, key) ? 200 : 400)
    }))
  })
})

describe("the example of a value", () => {
  it("is carried out as it stands, with the example of its key", async () => {
    for (const bucket of puts) {
      const { example: json } = bodyAt(bucket)
      const status = await send(bucket, undefined, { key: keyAt(bucket).example, json })
      expect(status, bucket).toBe(200)
    }
    for (const [bucket, name] of operations) {
      const { example: json } = bodyAt(bucket, name)
      const status = await send(bucket, name, { key: keyAt(bucket, name).example, json })
      expect(status, `${bucket} ${name}`).toBe(200)
    }
  })

  it("is the one that the schema gives, else one that is drawn and the same each time", () => {
    expect(bodyAt("trees").example).toEqual({ name: "oak", children: [] })
    expect(bodyAt("notes").example).toBe("text")
    expect(takes(bodyAt("profiles").schema, bodyAt("profiles").example)).toBe(true)
  })
})

describe("the schema of an answer", () => {
  it("takes the documents that the node gives", async () => {
    for (const { name } of buckets) {
      const keyed = operations.find(([bucket]) => bucket === name)
      const { example } = keyAt(name, keyed?.[1])
      const response = await call(server, path(name), { query: { key: textOf(example) } })
      const { content } = document.paths[path(name)].get.responses["200"]
      expect(takes(content["application/json"].schema, await response.json()), name).toBe(true)
    }
  })
})

it("a definition of a bucket's schemas has a name that OpenAPI allows", () => {
  const names = Object.keys(document.components.schemas)
  expect(names.filter((name) => !/^[\w.-]+$/u.test(name))).toEqual([])
  expect(names.filter((name) => name.startsWith("Bucket.trees."))).not.toEqual([])
})

it("a bucket whose code the node does not have keeps the general schema", async () => {
  const plain = await startServer({ backend: cluster.backends[0]! })
  try {
    const { paths }: any = await (await call(plain, "/openapi.json")).json()
    expect(paths[path("profiles")].put.requestBody)
      .toEqual(paths["/v1/buckets/{bucket}/docs"].put.requestBody)
  } finally {
    await plain.stop()
  }
})
