// Checks what retries and reads send of large documents: whether all of it is there, and changes
// where some are not.
import { afterEach, describe, expect, it } from "vitest"
import type { NodeLimits } from "../../src/core/model/Limits.ts"
import { node } from "../cluster/steppedCluster.ts"
import {
  add,
  areEqual,
  forget,
  heard,
  start,
  stepped,
  tags,
  tagsAt,
  without
} from "./sentChanges.ts"

afterEach(() => stepped.stop())

const operationId = { session: "s", sequence: 2 }

const named = () => ({
  operationId,
  mark: stepped.nodes[0]!.core.replica.operations.mark()
})

const markOf = (at: number) => stepped.nodes[at - 1]!.core.replica.operations.mark()
const retry = (mark: string) =>
  stepped.write(2, tags, {
    key: "k",
    op: "add",
    args: ["b"],
    w: 2,
    operationId,
    mark: markOf(2),
    tried: [{ node: node(1), mark }]
  }).answer
const wordTo = (to: string) =>
  heard.flatMap(([receiver, message]) =>
    receiver === to && message._tag === "Fenced" ? [message.word._tag] : []
  )

const read = (at = 1) => stepped.read(at, tags, { key: "k", r: 3 })
/** The second node has `b`, the third has `c`, and nobody has both. */
const differ = async (limits: Partial<NodeLimits> = {}) => {
  await start(limits)
  add("a", { w: "all" })
  stepped.cut(1)
  stepped.cut(2)
  stepped.write(2, tags, { key: "k", op: "add", args: ["b"], w: 1 })
  stepped.write(3, tags, { key: "k", op: "add", args: ["c"], w: 1 })
  stepped.runtime.advance(10_000)
  stepped.heal()
  forget()
}
describe("a retry of a write", () => {
  it("sends no document to replicas that have all of it", async () => {
    await start()
    add("a", { w: "all" })
    add("b", { w: "all", ...named() })
    add("c", { w: "all" })
    forget()
    expect(add("b", { w: "all", ...named() }).answer.values).toEqual([["a", "b", "c"]])
    expect(tagsAt("n2")).toEqual(["StoreDelta"])
    expect(tagsAt("n3")).toEqual(["StoreDelta"])
  })

  it("sends the changes that a replica lacks, and no document", async () => {
    await start()
    add("a", { w: "all" })
    without(3, () => {
      add("b", named())
      add("c")
    })
    expect(add("b", { w: "all", ...named() }).isOpen).toBe(false)
    expect(tagsAt("n3")).toEqual(["StoreDelta", "StoreDelta"])
    expect(areEqual()).toBe(true)
  })

  it("is acknowledged by no replica that lacks it", async () => {
    await start()
    add("a", { w: "all" })
    without(3, () => add("b", named()))
    let deltas = 0
    stepped.loses = ({ to }) => to === node(2) || (to === node(3) && deltas++ > 0)
    expect(add("b", { w: 2, ...named() }).isOpen).toBe(true)
    expect(tagsAt("n1")).toContain("NeedsBase")
  })
})

describe("a node that is asked for an operation that another one has done", () => {
  it("takes it over with the changes that it lacks, and without the document", async () => {
    await start()
    add("a", { w: "all" })
    const mark = markOf(1)
    without(2, () => add("b", { operationId, mark }))
    expect(retry(mark).values).toEqual([["a", "b"]])
    expect(new Set(wordTo("n2"))).toEqual(new Set(["KnownSince"]))
    expect(tagsAt("n2")).not.toContain("Store")
    expect(areEqual()).toBe(true)
  })

  it("takes it over with the document where the changes are forgotten", async () => {
    await start({ recentEditsBytesMax: 1 })
    add("a", { w: "all" })
    const mark = markOf(1)
    without(2, () => add("b", { operationId, mark }))
    expect(retry(mark).values).toEqual([["a", "b"]])
    expect(new Set(wordTo("n2"))).toEqual(new Set(["Known"]))
  })
})

describe("a read of a set whose replicas differ", () => {
  it("fetches the changes that it lacks, and repairs with changes", async () => {
    await differ()
    expect(read().answer.values).toEqual([["a", "b", "c"]])
    expect(tagsAt("n1")).toEqual(["FetchedSince", "FetchedSince"])
    expect(tagsAt("n2")).toEqual(["FetchSince", "StoreDelta"])
    expect(tagsAt("n3")).toEqual(["FetchSince", "StoreDelta"])
    expect(areEqual()).toBe(true)
  })

  it("fetches the documents where the changes are forgotten", async () => {
    await differ({ recentEditsBytesMax: 1 })
    expect(read().answer.values).toEqual([["a", "b", "c"]])
    expect(tagsAt("n1")).toEqual(["Fetched", "Fetched"])
    expect(tagsAt("n2")).toEqual(["FetchSince", "Store"])
    expect(areEqual()).toBe(true)
  })

  it("does not fetch what others lack", async () => {
    await differ()
    read()
    without(3, () => ["d", "e"].forEach((value) => add(value)))
    expect(read().answer.values).toEqual([["a", "b", "c", "d", "e"]])
    expect(tagsAt("n3")).toEqual(["FetchSince", "StoreDelta"])
    const [, answer] = heard.find(([, { _tag }]) => _tag === "FetchedSince")!
    expect(answer).toMatchObject({ edits: new Uint8Array(0) })
    expect(areEqual()).toBe(true)
  })

  it("takes no changes that are fewer than their sender says", async () => {
    await differ()
    stepped.loses = ({ from }) => from === node(2) || from === node(3)
    const asked = read()
    const { handlers } = stepped.nodes[0]!.core.coordinator
    const { request } = heard.find(([, { _tag }]) => _tag === "FetchSince")![1]
    const context = new Map([["n2.0mi8dfxmo000000.9", 9]])
    const edits = new Uint8Array(0)
    for (const from of [node(2), node(3)]) {
      handlers.FetchedSince(
        {
          _tag: "FetchedSince",
          request,
          digest: "0123456789abcdef",
          context,
          edits,
          completeness: "complete"
        },
        from,
        () => {}
      )
    }
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet" })
  })
})
