// Checks what a replica answers to other nodes: when it says that something is stored, what it says
// that it holds, and what it refuses.
import { beforeEach, describe, expect, it } from "vitest"
import type { Fetch, PeerMessage, Store } from "../../schemas/PeerMessage.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { WorkQueue } from "../../src/core/WorkQueue.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import { encodeFields } from "../../src/core/model/DocumentKey.ts"
import { rowKeyOf } from "../../src/core/ring/Partition.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import { ReplicaServer } from "../../src/replica/ReplicaServer.ts"
import { notes } from "../cluster/buckets.ts"
import { Bench, type BenchOptions } from "./bench.ts"

const partitionCount = 16
const name = {
  bucket: "notes",
  fingerprint: notes.fingerprint,
  key: { partition: encodeFields(["k"]), sort: "" }
}
const at = rowKeyOf({ ...name, partitionCount })

/** A replica with its server, and what the server answered. */
const serving = (options: BenchOptions = {}) => {
  const bench = new Bench(options)
  const buckets = Buckets.make([notes])
  const { replica, runtime } = bench
  const nowMillis = () => runtime.now()
  const server = new ReplicaServer({
    replica,
    buckets,
    partitionCount,
    nowMillis,
    completenessOf: () => "complete",
    completeness: () => "complete",
    work: new WorkQueue({ runtime, limits: lan.node }),
    limits: lan.node
  })
  const answers: Array<PeerMessage> = []
  const reply = (message: PeerMessage) => void answers.push(message)
  return {
    answers,
    bench,
    store: (message: Partial<Store>) =>
      server.store({
        _tag: "Store",
        request: 5,
        ...name,
        sync: true,
        document: bytesFrom("n2"),
        ...message
      }, reply),
    fetch: (message: Partial<Fetch> = {}) =>
      server.fetch({ _tag: "Fetch", request: 6, ...name, digest: "", ...message }, reply)
  }
}

/** A document as another node made it. */
const bytesFrom = (node: string): Uint8Array => {
  const other = new Bench({ node })
  return other.operate("put", ["from " + node]).encoded.bytes
}

let served: ReturnType<typeof serving>
beforeEach(() => {
  served = serving()
})

describe("a store", () => {
  it("that asks for the disk is answered once the document is on it, and not before", () => {
    const { answers, bench, store } = served
    store({ sync: true })
    expect(answers).toEqual([])
    bench.runtime.runReady()
    expect(answers).toEqual([{
      _tag: "Stored",
      request: 5,
      durable: true,
      completeness: "complete"
    }])
    bench.crash()
    expect(bench.values(at)).toEqual(["from n2"])
  })

  it("that does not is answered at once, from memory", () => {
    const { answers, bench, store } = served
    store({ sync: false })
    expect(answers).toEqual([{
      _tag: "Stored",
      request: 5,
      durable: false,
      completeness: "complete"
    }])
    bench.runtime.runReady()
    expect(answers).toHaveLength(1)
    expect(bench.values(at)).toEqual(["from n2"])
  })

  it("of a document that is held already is answered alike, and again at each repeat", () => {
    const { answers, bench, store } = served
    const document = bytesFrom("n2")
    for (let i = 0; i < 3; i++) {
      store({ document })
      if (i > 0) bench.runtime.runReady()
    }
    const stored = { _tag: "Stored", request: 5, durable: true, completeness: "complete" }
    expect(answers).toEqual([stored, stored, stored])
  })

  it("whose commit fails is refused, and a repeat in the same turn is too", () => {
    const { answers, bench, store } = served
    const mend = bench.failCommits()
    const document = bytesFrom("n2")
    store({ document })
    store({ document })
    bench.runtime.runReady()
    mend()
    const refused = { _tag: "Refused", request: 5, reason: expect.stringContaining("failing") }
    expect(answers).toEqual([refused, refused])
  })

  it("from memory that the disk's queue has no room for is refused", () => {
    const { answers, bench, store } = serving({ limits: { waitingChangesMax: 1 } })
    bench.begin([["put", 1]])
    store({ sync: false })
    expect(answers).toMatchObject([{ _tag: "Refused", request: 5 }])
    expect(answers).toHaveLength(1)
    bench.runtime.runReady()
    expect(bench.values(at)).toEqual([])
    expect(answers).toHaveLength(1)
  })

  it("to a disk that fails is refused without being tried, but for once a second", () => {
    const { answers, bench, store } = served
    const mend = bench.failCommits()
    store({})
    bench.runtime.runReady()
    const { failures } = bench.storage.stats()
    for (let i = 0; i < 5; i++) store({})
    bench.runtime.runReady()
    expect(bench.storage.stats().failures).toBe(failures)
    expect(answers.slice(1).map(({ _tag }) => _tag)).toEqual(Array(5).fill("Refused"))
    mend()
  })

  it("that asks for no answer gets none, done or refused", () => {
    const { answers, bench, store } = served
    store({ request: 0 })
    store({ request: 0, sync: false })
    store({ request: 0, document: Uint8Array.of(0) })
    store({ request: 0, fingerprint: "0000000000000000" })
    bench.runtime.runReady()
    expect(answers).toEqual([])
    expect(bench.values(at)).toEqual(["from n2"])
  })

  it("of bytes that are no document is refused, and harms nothing", () => {
    const { answers, bench, store } = served
    store({})
    bench.runtime.runReady()
    const bytes = bytesFrom("n3")
    for (let length = 0; length < bytes.length; length++) {
      store({ document: bytes.subarray(0, length) })
    }
    bench.runtime.runReady()
    expect(answers.slice(1).map(({ _tag }) => _tag)).toEqual(Array(bytes.length).fill("Refused"))
    expect(bench.values(at)).toEqual(["from n2"])
  })

  it("for a bucket declared otherwise is refused; of one not known here, taken and served", () => {
    const { answers, bench, fetch, store } = served
    store({ fingerprint: "0000000000000000" })
    bench.runtime.runReady()
    expect(answers).toMatchObject([
      { _tag: "Refused", reason: expect.stringContaining("declared otherwise here") }
    ])
    expect(bench.values(at)).toEqual([])
    const document = bytesFrom("n2")
    const unknown = { bucket: "elsewhere", fingerprint: "0000000000000000" }
    store({ ...unknown, document })
    bench.runtime.runReady()
    fetch(unknown)
    expect(answers.slice(1)).toEqual([
      { _tag: "Stored", request: 5, durable: true, completeness: "complete" },
      {
        _tag: "Fetched",
        request: 6,
        outcome: "found",
        document,
        completeness: "complete"
      }
    ])
  })

  it("of a node that does not know the bucket is taken, although this one does", () => {
    const { answers, bench, store } = served
    store({ fingerprint: "" })
    bench.runtime.runReady()
    expect(answers).toEqual([{
      _tag: "Stored",
      request: 5,
      durable: true,
      completeness: "complete"
    }])
  })
})

describe("a fetch", () => {
  it("of a document that is held gets it, or only that it is the same", () => {
    const { answers, bench, fetch, store } = served
    const document = bytesFrom("n2")
    store({ document })
    bench.runtime.runReady()
    answers.length = 0
    const { digest } = DocumentCodec.encode(DocumentCodec.decode(document))
    for (const asked of ["", "0000000000000000", digest]) fetch({ digest: asked })
    const completeness = "complete"
    const found = { _tag: "Fetched", request: 6, outcome: "found", document, completeness }
    expect(answers).toEqual([found, found, {
      ...found,
      outcome: "same",
      document: new Uint8Array(0)
    }])
  })

  it("of a write that is on its way to the disk waits for it", () => {
    const { answers, bench, fetch, store } = served
    store({ request: 0 })
    fetch()
    expect(answers).toEqual([])
    bench.runtime.runReady()
    expect(answers).toMatchObject([{ outcome: "found" }])
  })

  it("sees a write of the same turn that was acknowledged from memory", () => {
    const { answers, fetch, store } = served
    store({ sync: false })
    fetch()
    expect(answers).toMatchObject([{ _tag: "Stored" }, { outcome: "found" }])
  })

  it("sees a version that failed to commit no more, though a digest names it", () => {
    const { answers, bench, fetch, store } = served
    const mend = bench.failCommits()
    store({ sync: true })
    const local = bench.replica.read(at)
    fetch({ digest: local._tag === "Found" ? local.digest : "" })
    bench.runtime.runReady()
    mend()
    expect(answers).toMatchObject([{ outcome: "absent" }, { _tag: "Refused" }])
  })

  it("of a document that is absent or damaged says which", () => {
    const { answers, bench, fetch, store } = served
    fetch()
    store({ request: 0 })
    bench.runtime.runReady()
    bench.damage()
    fetch()
    expect(answers).toMatchObject([{ outcome: "absent" }, { outcome: "damaged" }])
  })

  it("for a bucket declared otherwise is refused", () => {
    const { answers, fetch } = served
    fetch({ fingerprint: "0000000000000000" })
    expect(answers).toMatchObject([{ _tag: "Refused", request: 6 }])
  })
})
