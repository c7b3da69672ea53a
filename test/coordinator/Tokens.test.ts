// Checks which history a client's context proves, and which contexts are refused.
import { createSecretKey } from "node:crypto"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as CausalContext from "../../src/core/clock/CausalContext.ts"
import { accepted } from "../../src/core/clock/ClusterKeys.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import { BadContext } from "../../src/core/model/StoreError.ts"
import { buckets, notes, profiles, rooms, shelves } from "../cluster/buckets.ts"
import { idle, SteppedCluster, type WriteBody } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, limits: idle })
})
afterEach(() => stepped.stop())

const put = { key: "k", op: "put", args: ["x"] }
const room = { hotel: "k", floor: 1, name: "" }
const profile = (context: string): WriteBody => ({
  key: "k",
  op: "put",
  args: [{ name: "x" }],
  context
})
const shelf = (op: string, arg: string | number, more: Partial<WriteBody> = {}): WriteBody => ({
  key: "k",
  op,
  args: [arg],
  w: 1,
  ...more
})
const books = (at: number) => stepped.read(at, shelves, { key: "k", r: "all" }).answer.values

/** Where contexts of the note are valid. */
const scopeOfNote = () => {
  const { cluster, keys } = stepped.nodes[0]!.core.options
  const key = encodeKey(notes.definition.key, "k")
  return { bucket: notes.name, key, seal: { cluster, keys: accepted(keys) } }
}

/** Writes that n1 alone has, and the context of the last of them. */
const aloneAtN1 = (...writes: ReadonlyArray<WriteBody>): string => {
  stepped.cut(1)
  const contexts = writes.map((write) => stepped.write(1, shelves, write).answer.context)
  stepped.runtime.advance(2_500)
  return contexts.at(-1)!
}

describe("a context", () => {
  it("is good at every node, and for its document only", () => {
    const { context } = stepped.write(1, notes, put).answer
    for (const nodeNumber of [1, 2, 3]) {
      expect(stepped.write(nodeNumber, notes, { ...put, context }).isOpen).toBe(false)
    }
    const elsewhere = [
      ["other-document", stepped.write(1, notes, { ...put, key: "other", context })],
      ["other-document", stepped.read(1, notes, { key: "other", after: [context] })],
      ["other-document", stepped.write(1, notes, { ...put, key: "other", after: [context] })],
      ["other-bucket", stepped.write(1, profiles, profile(context))],
      ["other-bucket", stepped.read(1, rooms, { key: room, after: [context] })]
    ] as const
    for (const [reason, { error }] of elsewhere) {
      expect(error).toBeInstanceOf(BadContext)
      expect(error).toMatchObject({ reason })
    }
    expect(stepped.read(1, notes, { key: "other", r: "all" }).answer.values).toEqual([])
  })

  it("that was changed anywhere, or is none, is refused before anything is done", () => {
    const { context } = stepped.write(1, notes, put).answer
    const bytes = Buffer.from(context, "base64url")
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Uint8Array.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const forged = Buffer.from(changed).toString("base64url")
      expect(stepped.write(1, notes, { ...put, context: forged }).error).toBeInstanceOf(BadContext)
    }
    for (const none of ["", "x", "ä", `${context}!`, "A".repeat(10_000)]) {
      expect(stepped.write(1, notes, { ...put, context: none }).error).toBeInstanceOf(BadContext)
      expect(stepped.read(1, notes, { key: "k", after: [none] }).error).toBeInstanceOf(BadContext)
    }
    expect(stepped.read(1, notes, { key: "k" }).answer.siblings).toBe(1)
  })

  it("that was sealed with a key that is not in use is refused, and the error says so", () => {
    const { bucket, key, seal } = scopeOfNote()
    const retired = [CausalContext.tokenKey(createSecretKey(Buffer.from("a retired key")))]
    const claims = { vector: new Map([["n1.0mi8dfxmoabcdef.1", 2 ** 53 - 1]]), stamp: 0 }
    const context = CausalContext.encode(claims, { ...seal, bucket, key, keys: retired })
    for (
      const asked of [
        stepped.write(1, notes, { ...put, context }),
        stepped.read(1, notes, { key: "k", after: [context] })
      ]
    ) {
      expect(asked.error).toMatchObject({ _tag: "BadContext", reason: "unknown-key" })
    }
  })

  it("is of another key in a cluster of another name with the same key", () => {
    const { context } = stepped.write(1, notes, put).answer
    const { bucket, key, seal } = scopeOfNote()
    expect(CausalContext.decode(context, { ...seal, bucket, key })).toHaveProperty("vector")
    expect(CausalContext.decode(context, { ...seal, bucket, key, cluster: "other" }))
      .toBe("unknown-key")
  })

  it("lets a write replace the values that it has seen, and no others", () => {
    const { context } = stepped.write(1, notes, put).answer
    stepped.write(2, notes, { ...put, args: ["y"] })
    stepped.write(3, notes, { ...put, args: ["z"], context })
    expect(stepped.read(1, notes, { key: "k", r: "all" }).texts).toEqual(["y", "z"])
  })

  it("lets a delete remove the values that it has seen, and no others", () => {
    const { context } = stepped.write(1, notes, put).answer
    stepped.write(2, notes, { ...put, args: ["y"] })
    stepped.write(3, notes, { key: "k", op: "delete", context })
    expect(stepped.read(1, notes, { key: "k", r: "all" }).texts).toEqual(["y"])
  })
})

describe("a removal by a client that has seen more than the node", () => {
  it("waits at the node, and removes the writes that it saw when they arrive", () => {
    const context = aloneAtN1(shelf("books.add", "Emma"), shelf("books.add", "Persuasion"))
    stepped.write(2, shelves, shelf("books.remove", "Emma", { context }))
    stepped.heal()
    stepped.read(3, shelves, { key: "k", r: "all" })
    stepped.runtime.advance(2_500)
    expect(books(3)).toMatchObject([{ books: ["Persuasion"] }])
    expect(stepped.counts(2).catchUps).toBe(0)
  })

  it("does not remove an item that was added again meanwhile", () => {
    const context = aloneAtN1(shelf("books.add", "Emma"))
    stepped.write(1, shelves, shelf("books.add", "Emma"))
    stepped.write(2, shelves, shelf("books.remove", "Emma", { context }))
    stepped.runtime.advance(2_500)
    stepped.heal()
    expect(books(3)).toMatchObject([{ books: ["Emma"] }])
  })

  it("of a document with counters makes the node catch up first from another replica", () => {
    const context = aloneAtN1(shelf("visits.add", 5))
    stepped.heal()
    stepped.cut(3)
    stepped.write(2, shelves, { key: "k", op: "delete", context, w: 2 })
    expect(stepped.counts(2).catchUps).toBe(1)
    stepped.runtime.advance(2_500)
    stepped.heal()
    expect(books(3)).toEqual([])
    stepped.write(3, shelves, shelf("visits.add", 2))
    expect(books(1)).toMatchObject([{ visits: 2 }])
  })

  it("that cannot catch up is told so within its time, and has changed nothing", () => {
    const context = aloneAtN1(shelf("visits.add", 5))
    const asked = stepped.write(2, shelves, { key: "k", op: "delete", context, w: 1 })
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(1_050)
    expect(asked.error).toMatchObject({ _tag: "ContextNotCovered", unreachable: ["n1"] })
    stepped.heal()
    expect(books(3)).toMatchObject([{ visits: 5 }])
  })

  it("that caught up late has only the rest of its time for the write", () => {
    const context = aloneAtN1(shelf("visits.add", 5))
    const asked = stepped.write(2, shelves, { key: "k", op: "delete", context, w: 3 })
    stepped.runtime.advance(300)
    stepped.loses = ({ to }) => to === "n3"
    stepped.heal()
    stepped.runtime.advance(250)
    expect(stepped.held(shelves, "k")[1]?.context.size).toBe(2)
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(500)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet", unreachable: ["n3"] })
  })

  it("on a disk that takes nothing is refused, and does not try for ever", () => {
    const context = aloneAtN1(shelf("visits.add", 5))
    stepped.heal()
    const { core } = stepped.nodes[1]!
    const { storage } = core.options
    Object.assign(storage, {
      write: (_: unknown, done: (failure: unknown) => void) =>
        done({ kind: "overloaded", detail: "of the test" })
    })
    const asked = stepped.write(2, shelves, { key: "k", op: "delete", context, w: 1 })
    expect(asked.error).toMatchObject({ _tag: "NodeUnwritable", node: "n2" })
    expect(stepped.counts(2).catchUps).toBe(1)
  })
})
