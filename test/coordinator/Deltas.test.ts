// Checks what a write sends to the other replicas: the change alone, the changes before it to a
// replica that lacks some of them, and the document where these are forgotten.
import { afterEach, describe, expect, it } from "vitest"
import { BucketName } from "../../src/core/model/Names.ts"
import { node } from "../cluster/steppedCluster.ts"
import {
  add,
  areEqual,
  bytes,
  forget,
  heard,
  notes,
  start,
  stepped,
  tags,
  tagsAt,
  without
} from "./sentChanges.ts"

afterEach(() => stepped.stop())

describe("a write", () => {
  it("sends the change alone to replicas that have its base", async () => {
    await start()
    add("a", { w: "all" })
    expect(add("b", { w: "all" }).answer.values).toEqual([["a", "b"]])
    expect(tagsAt("n2")).toEqual(["StoreDelta", "StoreDelta"])
    expect(areEqual()).toBe(true)
  })

  it("sends the changes before it to a replica that lacks them", async () => {
    await start()
    add("a", { w: "all" })
    without(3, () => ["b", "c"].forEach((value) => add(value)))
    expect(add("d", { w: "all" }).isOpen).toBe(false)
    expect(tagsAt("n2")).toEqual(["StoreDelta"])
    expect(tagsAt("n3")).toEqual(["StoreDelta", "StoreDelta"])
    expect(tagsAt("n1")).toEqual(expect.arrayContaining(["NeedsBase"]))
    expect(areEqual()).toBe(true)
  })

  it("sends the document to a replica that lacks changes which are forgotten", async () => {
    await start({ recentEditsMax: 1 })
    add("a", { w: "all" })
    without(3, () => ["b", "c"].forEach((value) => add(value)))
    expect(add("d", { w: "all" }).isOpen).toBe(false)
    expect(tagsAt("n3")).toEqual(["StoreDelta", "Store"])
    expect(areEqual()).toBe(true)
  })

  it("sends the document once where several writes find that a replica lacks it", async () => {
    await start({ recentEditsMax: 1 })
    add("a", { w: "all" })
    without(3, () => ["b", "c"].forEach((value) => add(value)))
    const begun = ["d", "e", "f"].map((value) => {
      const asked: Array<unknown> = []
      const body = { key: "k", calls: [{ name: "add", args: [value] }], w: 3 }
      stepped.cluster.backends[0]!.request(
        { action: "write", bucket: BucketName.make(tags.name), body },
        (outcome) => asked.push(outcome)
      )
      return asked
    })
    stepped.runtime.runReady()
    expect(tagsAt("n3").filter((tag) => tag === "Store").length).toBe(1)
    stepped.runtime.advance(2_000)
    expect(begun.map((outcomes) => outcomes.length)).toEqual([1, 1, 1])
    expect(areEqual()).toBe(true)
  })

  it("sends the document to a replica whose own is damaged", async () => {
    await start({ cacheBytesMax: 0 })
    add("a", { w: "all" })
    stepped.damage(3)
    forget()
    add("b", { w: "all" })
    expect(tagsAt("n3")).toEqual(["StoreDelta", "StoreDelta", "Store"])
    expect(areEqual()).toBe(true)
  })

  it("sends what was needed again where it is lost", async () => {
    await start()
    add("a", { w: "all" })
    without(3, () => add("b"))
    let losses = 0
    stepped.loses = ({ to }) =>
      to === node(3) && tagsAt("n1").includes("NeedsBase")
      && losses++ < 1
    const asked = add("c", { w: "all" })
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(1_000)
    expect(asked.isOpen).toBe(false)
    expect(tagsAt("n3").slice(0, 1)).toEqual(["StoreDelta"])
    expect(tagsAt("n3")).not.toContain("Store")
    expect(areEqual()).toBe(true)
  })

  it("sends the document to a replica that lacks the base all the same, once", async () => {
    await start()
    add("a", { w: "all" })
    without(3, () => add("b"))
    stepped.loses = ({ from, to }) => from === node(1) && to === node(2)
    add("c", { w: 3 })
    const [, question] = heard.find(([, { _tag }]) => _tag === "NeedsBase")!
    forget()
    const { handlers } = stepped.nodes[0]!.core.coordinator
    for (let i = 0; i < 3; i++) {
      if (question._tag === "NeedsBase") handlers.NeedsBase(question, node(3), () => {})
      stepped.runtime.runReady()
    }
    expect(tagsAt("n3")).toEqual(["Store"])
  })
})

describe("an addition to a large set", () => {
  it("takes at most 1 KB to each replica", async () => {
    await start({ deltaPercentMax: 50 })
    const { backends } = stepped.cluster
    for (let at = 0; at < 5_000; at += 1_000) {
      const calls = Array.from({ length: 1_000 }, (_, i) => ({
        name: "add",
        args: [`element ${at + i}`]
      }))
      const body = { key: "k", calls, w: "all" as const }
      backends[0]!.request({ action: "write", bucket: BucketName.make(tags.name), body }, () => {})
      stepped.runtime.runReady()
    }
    forget()
    add("another", { w: "all" })
    expect(areEqual()).toBe(true)
    expect(bytes.get("n2")).toBeLessThan(1_000)
    expect(bytes.get("n3")).toBeLessThan(1_000)
  }, 60_000)
})

const putNote = (args: ReadonlyArray<string>) =>
  stepped.write(1, notes, { key: "k", op: "put", args }).answer

describe("a write of a document that is larger than nodes show", () => {
  const long = "x".repeat(100)

  it("is answered without its value unless that is asked for", async () => {
    await start({ shownBytesMax: 100 })
    expect(add("a").answer).toMatchObject({ values: [["a"]] })
    const { answer } = add(long)
    expect(answer).toMatchObject({ values: [], siblings: 0, unshown: true, replied: 2 })
    const shown = add("b", { show: "always" }).answer
    expect(shown.values).toEqual([["a", "b", long]])
    expect(shown.unshown).toBeUndefined()
    const read = stepped.read(1, tags, { key: "k", after: [answer.context] })
    expect(read.answer.values).toEqual([["a", "b", long]])
  })

  it("is answered alike where it is tried again", async () => {
    await start({ shownBytesMax: 100 })
    const named = { operationId: { session: "s", sequence: 2 } }
    for (let i = 0; i < 2; i++) expect(add(long, named).answer.unshown).toBe(true)
    expect(add(long, { ...named, show: "always" }).answer.values).toEqual([[long]])
  })

  it("is answered with its siblings, which only a write that has seen them replaces", async () => {
    await start({ shownBytesMax: 0 })
    expect(putNote(["a"]).values).toEqual(["a"])
    const both = putNote(["b"])
    expect(both.unshown).toBeUndefined()
    expect(both.values).toEqual(["a", "b"])
  })

  it("has the context of the document, by which a delete removes it", async () => {
    await start({ shownBytesMax: 0 })
    const { context } = add("a").answer
    expect(stepped.write(1, tags, { key: "k", op: "delete", context }).answer.unshown)
      .toBeUndefined()
    expect(stepped.read(1, tags, { key: "k" }).answer.values).toEqual([])
  })
})
