// Checks what a write sends to the other replicas: the change alone, the changes before it to a
// replica that lacks some of them, and the document where these are forgotten.
import * as Schema from "effect/Schema"
import { afterEach, describe, expect, it } from "vitest"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteReader } from "../../src/core/codec/Bytes.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import type { NodeLimits } from "../../src/core/model/Limits.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import * as Frame from "../../src/transport/Frame.ts"
import { readMessage } from "../../src/transport/PeerMessageCodec.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const tags = Bucket.crdt("tags", { key: Key.text, type: Crdt.set(Schema.String) })
const notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })

let stepped: SteppedCluster
/** Messages that carry or ask for a change, by their receivers. */
let heard: Array<readonly [to: string, message: PeerMessage]>
let bytes: Map<string, number>

const start = async (limits: Partial<NodeLimits> = {}) => {
  stepped = await SteppedCluster.start({
    nodes: 3,
    buckets: [tags, notes],
    limits: { greetMillis: 60_000, deltaPercentMax: 10_000, ...limits }
  })
  heard = []
  bytes = new Map()
  stepped.cluster.connect().subscribe("everwrite.test.v1.peer.*.from.*", ({ data, subject }) => {
    const to = /\.peer\.([^.]+)\./u.exec(subject)![1]!
    bytes.set(to, (bytes.get(to) ?? 0) + data.length)
    const { body } = Frame.decode(data)
    if (body._tag !== "Whole") return
    const reader = new ByteReader(body.messages)
    while (reader.remaining > 0) heard.push([to, readMessage(reader).message])
  })
}
afterEach(() => stepped.stop())

/** Tags of the messages since the last look that one node got. */
const tagsAt = (to: string): ReadonlyArray<string> =>
  heard.flatMap(([receiver, { _tag }]) => receiver === to ? [_tag] : [])

const forget = () => {
  heard = []
  bytes.clear()
}

const add = (value: string, body = {}) =>
  stepped.write(1, tags, { key: "k", op: "add", args: [value], w: 2, ...body })

const areEqual = (): boolean => {
  const digests = stepped.held(tags, "k").map((held) =>
    held === undefined ? "damaged" : DocumentCodec.encode(held).digest
  )
  return new Set(digests).size === 1
}

const without = (nodeNumber: number, write: () => void) => {
  stepped.cut(nodeNumber)
  write()
  stepped.runtime.advance(10_000)
  stepped.heal()
  forget()
}

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

describe("a retry of a write", () => {
  const named = () => ({
    operationId: { session: "s", sequence: 2 },
    mark: stepped.nodes[0]!.core.replica.operations.mark()
  })

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
  const markOf = (at: number) => stepped.nodes[at - 1]!.core.replica.operations.mark()
  const operationId = { session: "s", sequence: 2 }
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
