// Checks that a session never goes back: its reads cover all that it has read and written, or fail
// in a way to retry.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { ContextNotCovered } from "../../src/core/model/StoreError.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { buckets, notes, profiles, shelves } from "../cluster/buckets.ts"
import { SteppedCluster, type WriteBody } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

const key = "k"
const available = { key, consistency: "available" } as const
const putAda = { ...available, op: "put", args: [{ name: "Ada" }] }

/** A write that n1 alone has. */
const aloneAtN1 = (write: WriteBody, bucket: Pick<Any, "name"> = profiles): string => {
  stepped.cut(1)
  const { context } = stepped.write(1, bucket, write).answer
  stepped.runtime.advance(2_000)
  return context
}

describe("a session", () => {
  it("reads its write at another node, although one replica's answer would do", () => {
    const context = aloneAtN1(putAda)
    stepped.heal()
    expect(stepped.read(2, profiles, available).answer.values).toEqual([])
    const after = [context]
    expect(stepped.read(2, profiles, { ...available, after }).answer.values)
      .toEqual([{ name: "Ada" }])
  })

  it("gets an error where no reachable replica has seen as much", () => {
    const after = [aloneAtN1(putAda)]
    const asked = stepped.read(2, profiles, { ...available, after })
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(1_000)
    expect(asked.error).toBeInstanceOf(ContextNotCovered)
    expect(asked.error).toMatchObject({ bucket: "profiles", unreachable: ["n1"] })
    stepped.heal()
    expect(stepped.read(2, profiles, { ...available, after }).answer.values)
      .toEqual([{ name: "Ada" }])
  })

  it("whose read too few replicas answered gets that error first", () => {
    const after = [aloneAtN1(putAda)]
    const asked = stepped.read(1, profiles, { key, after, r: 2 })
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet", had: { r: 1 } })
  })

  it("does not go back behind a value that it read", () => {
    aloneAtN1({ ...available, op: "put", args: ["x"] }, notes)
    stepped.heal()
    const { context, values } = stepped.read(1, notes, { ...available, r: "all" }).answer
    expect(values).toEqual(["x"])
    stepped.damage(2)
    stepped.damage(3)
    stepped.cut(1)
    const asked = stepped.read(2, notes, { key, r: 1, after: [context] })
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet" })
  })

  it("with several contexts reads a document that covers all of them", () => {
    const first = aloneAtN1({ ...available, op: "put", args: ["x"] }, notes)
    stepped.heal()
    stepped.cut(3)
    const second = stepped.write(3, notes, { ...available, op: "put", args: ["y"] }).answer.context
    stepped.runtime.advance(2_000)
    const after = [first, second]
    const asked = stepped.read(1, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(asked.error).toBeInstanceOf(ContextNotCovered)
    stepped.heal()
    expect(stepped.read(1, notes, { ...available, after }).texts)
      .toEqual(["x", "y"])
  })

  it("writes on a node that has seen less, which takes the write all the same", () => {
    const after = [aloneAtN1({ ...available, op: "books.add", args: ["Emma"] }, shelves)]
    const added = { ...available, op: "books.add", args: ["Persuasion"], after }
    expect(stepped.write(2, shelves, added).answer.values).toMatchObject([{
      books: ["Persuasion"]
    }])
    stepped.heal()
    const { context } = stepped.write(2, shelves, added).answer
    expect(stepped.read(3, shelves, { ...available, after: [context] }).answer.values)
      .toMatchObject([{ books: ["Emma", "Persuasion"] }])
  })
})
