// Checks what a bucket's fingerprint tells apart, and what it leaves to each node.
import { describe, expect, it } from "vitest"
import {
  type BucketDefinition,
  fingerprint,
  fitted,
  type TypeDefinition,
  unmet
} from "../../../src/core/model/BucketDefinition.ts"
import { bareText } from "../../../src/core/model/KeyFields.ts"
import { BucketName } from "../../../src/core/model/Names.ts"

const definition: BucketDefinition = {
  name: BucketName.make("carts"),
  strategy: { family: "merge", version: 1 },
  key: { bare: false, partition: [["user", "text"]], sort: [["at", "integer"], ["id", "text"]] },
  n: 3,
  defaults: {},
  durability: "synced",
  schema: "0123456789abcdef"
}

const document = (fields: Readonly<Record<string, TypeDefinition>>): BucketDefinition => ({
  ...definition,
  strategy: { family: "crdt", type: { type: "document", fields } }
})

describe("a bucket in a small cluster", () => {
  const counted = { ...definition, defaults: { r: 1, w: 3, dw: 2, pr: "quorum" } } as const

  it("is held by every node, and a request for more of them asks for all", () => {
    expect(fitted(counted, 1)).toEqual({
      ...definition,
      n: 1,
      defaults: { r: 1, w: 1, dw: 1, pr: "quorum" }
    })
    for (const nodes of [1, 2, 3, 9]) expect(unmet(fitted(counted, nodes))).toBeUndefined()
  })

  it("is as declared where there are enough", () => {
    expect(fitted(counted, 3)).toEqual(counted)
  })
})

describe("the fingerprint of a bucket", () => {
  it("is a format: these 16 digits for this definition, for ever", () => {
    expect(fingerprint(definition)).toBe("aa7abff70a03fdad")
  })

  it.each<[string, Partial<BucketDefinition>]>([
    ["name", { name: BucketName.make("cart") }],
    ["family", { strategy: { family: "siblings" } }],
    ["version of its merge", { strategy: { family: "merge", version: 2 } }],
    ["type", { strategy: { family: "crdt", type: { type: "set" } } }],
    ["key", { key: bareText }],
    ["order of key fields", {
      key: { ...definition.key, sort: definition.key.sort.toReversed() }
    }],
    ["split of key fields", {
      key: {
        ...definition.key,
        partition: [["user", "text"], ["at", "integer"]],
        sort: [["id", "text"]]
      }
    }],
    ["schema", { schema: "fedcba9876543210" }]
  ])("changes with the %s", (_, change) => {
    expect(fingerprint({ ...definition, ...change })).not.toBe(fingerprint(definition))
  })

  it.each<[string, Partial<BucketDefinition>]>([
    ["the number of replicas", { n: 5 }],
    ["the defaults", { defaults: { r: "quorum", w: 2 } }],
    ["the durability", { durability: "buffered" }]
  ])("does not change with %s, which only steers requests", (_, change) => {
    expect(fingerprint({ ...definition, ...change })).toBe(fingerprint(definition))
  })

  it("does not depend on the order in which a document's fields were declared", () => {
    const one = document({ title: { type: "register" }, votes: { type: "counter" } })
    const other = document({ votes: { type: "counter" }, title: { type: "register" } })
    expect(fingerprint(one)).toBe(fingerprint(other))
    expect(fingerprint(document({ title: { type: "counter" }, votes: { type: "register" } })))
      .not.toBe(fingerprint(one))
  })
})
