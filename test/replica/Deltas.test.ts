// Checks what a replica does with changes of other replicas: it joins them on their base, as one
// that gets the documents, and says what it has where the base is missing.
import { beforeEach, describe, expect, it } from "vitest"
import type { PeerMessage, StoreDelta } from "../../schemas/PeerMessage.ts"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import * as Edit from "../../src/core/crdt/Edit.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { encodeFields } from "../../src/core/model/DocumentKey.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import { WorkQueue } from "../../src/core/WorkQueue.ts"
import { ReplicaServer } from "../../src/replica/ReplicaServer.ts"
import { textOf } from "../core/crdt/documents.ts"
import { notes, shelves } from "../cluster/buckets.ts"
import { Bench } from "./bench.ts"

const partitionCount = 16
const name = {
  bucket: "shelves",
  fingerprint: shelves.fingerprint,
  key: { partition: encodeFields(["k"]), sort: "" }
}
const key = rowKeyOf({ ...name, partitionCount })
const strategy = shelves.definition.strategy

const serve = () => {
  const bench = new Bench({ node: "n1", strategy, deltaPercentMax: 10_000 })
  const { replica, runtime } = bench
  const server = new ReplicaServer({
    replica,
    buckets: Buckets.make([shelves, notes]),
    partitionCount,
    nowMillis: () => runtime.now(),
    completenessOf: () => "complete",
    completeness: () => "complete",
    work: new WorkQueue({ runtime, limits: lan.node }),
    limits: lan.node
  })
  const answers: Array<PeerMessage> = []
  const store = (edits: Uint8Array, message: Partial<StoreDelta> = {}) => {
    server.store(
      { _tag: "StoreDelta", request: 5, ...name, sync: true, edits, ...message },
      (a) => void answers.push(a)
    )
  }
  return { answers, bench, store }
}

const stored = { _tag: "Stored", request: 5, durable: true, completeness: "complete" }

let served: ReturnType<typeof serve>
/** The replica that makes the changes. */
let author: Bench
beforeEach(() => {
  served = serve()
  author = new Bench({ node: "n2", strategy, deltaPercentMax: 10_000 })
})

const operate = (name: string, ...args: ReadonlyArray<unknown>) => {
  const { document, edit } = author.operate(name, args, { key })
  if (edit === undefined) throw new Error("the change does not travel alone")
  return { document, bytes: edit.bytes, edit }
}

/** The document at the replica, after all that can happen has. */
const held = () => {
  served.bench.runtime.runReady()
  const read = served.bench.replica.read(key)
  return read._tag === "Found" ? textOf(read.document) : read._tag
}

describe("a change of another replica", () => {
  it("is joined on its base, and acknowledged once it is on the disk", () => {
    const first = operate("books.add", "Emma")
    served.store(first.bytes)
    expect(served.answers).toEqual([])
    expect(held()).toBe(textOf(first.document))
    expect(served.answers).toEqual([stored])
    const second = operate("visits.add", 3)
    served.store(second.bytes)
    expect(held()).toBe(textOf(second.document))
    served.bench.crash()
    expect(held()).toBe(textOf(second.document))
  })

  it("is acknowledged from memory where no disk is asked for", () => {
    served.store(operate("books.add", "Emma").bytes, { sync: false })
    expect(served.answers).toEqual([{ ...stored, durable: false }])
  })

  it("changes nothing where it comes again, and is acknowledged", () => {
    const { bytes, document } = operate("books.add", "Emma")
    for (let i = 0; i < 3; i++) served.store(bytes)
    expect(held()).toBe(textOf(document))
    expect(served.answers).toEqual([stored, stored, stored])
  })

  it("is not joined without its base: the answer says all that is here", () => {
    const first = operate("books.add", "Emma")
    const second = operate("books.add", "Persuasion")
    served.store(second.bytes)
    expect(held()).toBe("Absent")
    expect(served.answers).toEqual([{
      _tag: "NeedsBase",
      request: 5,
      context: VersionVector.empty
    }])
    served.store(first.bytes)
    expect(held()).toBe(textOf(first.document))
    const third = operate("books.add", "Sanditon")
    served.store(third.bytes)
    expect(served.answers.at(-1)).toMatchObject({ context: first.document.context })
    expect(served.bench.replica.stats().basesMissing).toBe(2)
    served.store(second.bytes)
    served.store(third.bytes)
    expect(held()).toBe(textOf(third.document))
  })

  it("that nobody waits for is dropped without its base", () => {
    operate("books.add", "Emma")
    served.store(operate("books.add", "Persuasion").bytes, { request: 0 })
    expect(held()).toBe("Absent")
    expect(served.answers).toEqual([])
  })

  it("has no base at a replica whose row is damaged, which needs the document", () => {
    const first = operate("books.add", "Emma")
    served.store(first.bytes)
    held()
    served.bench.damage()
    served.store(first.bytes)
    expect(served.answers.at(-1)).toEqual({
      _tag: "NeedsBase",
      request: 5,
      context: VersionVector.empty
    })
    expect(held()).toBe("Damaged")
  })

  it("is refused where it is of another kind of bucket, or no change", () => {
    const { bytes } = operate("books.add", "Emma")
    served.store(bytes, { bucket: "notes", fingerprint: notes.fingerprint })
    served.store(bytes.subarray(1))
    expect(served.answers).toMatchObject([
      { _tag: "Refused", reason: "a state of another kind of bucket" },
      { _tag: "Refused", reason: expect.stringMatching(/^not a change of a document: /u) }
    ])
  })

  it("has its operation id, by which a retry is answered", () => {
    const id = { session: "s", sequence: 1 }
    const { dot, edit } = author.operate("books.add", ["Emma"], { key, id })
    served.store(edit!.bytes, { operation: { id, dot } })
    served.bench.runtime.runReady()
    expect(served.bench.replica.trace(key, id)).toMatchObject({ _tag: "Applied" })
  })
})

const missing = (made: ReturnType<typeof operate>, context: VersionVector.VersionVector) =>
  author.replica.edits.missing(key, made.edit, context)

describe("the changes that a replica lacks", () => {
  it("are those from what it has on, and bring it as far", () => {
    const first = operate("books.add", "Emma")
    operate("books.add", "Persuasion")
    const last = operate("visits.add", 3)
    served.store(first.bytes)
    held()
    const bytes = missing(last, first.document.context)
    served.store(bytes!)
    expect(held()).toBe(textOf(last.document))
    served.store(missing(last, VersionVector.empty)!)
    expect(held()).toBe(textOf(last.document))
  })

  it("include those that its author got from others", () => {
    const other = new Bench({ node: "n3", strategy, deltaPercentMax: 10_000 })
    const added = other.operate("books.add", ["Emma"], { key })
    const { bytes, edit } = added.edit!
    author.replica.join({ key, edits: [edit], bytes }, () => {})
    const removed = operate("books.remove", "Emma")
    expect(removed.edit.edit.base).toEqual(added.document.context)
    served.store(missing(removed, VersionVector.empty)!)
    expect(held()).toBe(textOf(removed.document))
  })

  it("are forgotten where their commit fails", () => {
    operate("books.add", "Emma")
    const last = operate("books.add", "Persuasion")
    author.failCommits()
    author.begin([["books.add", "Sanditon"]], { key })
    author.runtime.runReady()
    expect(author.replica.edits.stats().recentEdits).toBe(0)
    expect(missing(last, VersionVector.empty)).toBeUndefined()
  })
})

describe("an operation that was carried out before, and is tried again", () => {
  it("sends no change, which only a replica with all of the document may join", () => {
    const id = { session: "s", sequence: 1 }
    author.operate("books.add", ["Emma"], { key, id })
    author.operate("books.add", ["Sanditon"], { key })
    const retry = author.operate("books.add", ["Emma"], { key, id })
    expect(retry).toMatchObject({ isRetry: true })
    expect(retry.edit?.edit).toEqual(Edit.confirming(retry.document.context))
    expect(retry.edit?.bytes.length).toBeLessThan(100)
  })
})

describe("the document travels", () => {
  it("where the change is not much smaller", () => {
    const small = new Bench({ node: "n2", strategy })
    expect(small.operate("books.add", ["Emma"], { key }).edit).toBeUndefined()
    for (let i = 0; i < 30; i++) small.operate("books.add", [`Emma ${i}`], { key })
    expect(small.operate("books.add", ["Sanditon"], { key }).edit).toBeDefined()
    expect(small.operate("delete", [], { key }).edit).toBeUndefined()
  })

  it("of a register and of siblings", () => {
    const values = new Bench({ node: "n2", deltaPercentMax: 10_000 })
    expect(values.operate("put", ["x"]).edit).toBeUndefined()
  })

  it("of registers where an operation was carried out before, and is tried again", () => {
    const values = new Bench({ node: "n2", deltaPercentMax: 10_000 })
    const id = { session: "s", sequence: 1 }
    values.operate("put", ["x"], { id })
    expect(values.operate("put", ["x"], { id })).toMatchObject({ isRetry: true, edit: undefined })
  })
})
