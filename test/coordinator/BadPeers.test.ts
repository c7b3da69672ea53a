// Checks that a node refuses or keeps apart wrong messages of its peers, and goes on.
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import { type Document, empty } from "../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import type { DotStore } from "../../src/core/crdt/DotStore.ts"
import { encodeFields } from "../../src/core/model/DocumentKey.ts"
import * as Frame from "../../src/transport/Frame.ts"
import { frameSeal } from "../../src/node/FrameKeys.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { buckets, notes, profiles } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { messages } from "../schemas/messages.ts"

let stepped: SteppedCluster
let outside: TransportService
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
  outside = stepped.cluster.connect()
})
afterEach(() => stepped.stop())

let numbers = 0
/** Sends to n1 as n2 would under a later incarnation: a member may have any fault. */
const send = (...all: ReadonlyArray<PeerMessage>): void => {
  const writer = new ByteWriter()
  const { ring } = stepped.nodes[0]!.core.view
  for (const message of all) writeMessage(writer, message, ring.digest)
  const header = {
    cluster: "test",
    partitionCount: ring.partitionCount,
    senderIncarnation: "zzzzzzzzzabcdef",
    number: ++numbers,
    receiverIncarnation: "",
    clockMillis: stepped.runtime.now(),
    position: { store: 0, changes: 0 }
  }
  const data = Frame.encode(header, { _tag: "Whole", messages: writer.finish() })
  const subject = "everwrite.test.v1.peer.n1.from.n2"
  frameSeal(stepped.nodes[0]!.core.options.keys).seal(subject, data)
  outside.publish(subject, data)
  stepped.runtime.runReady()
}

const actor = "n2.0mi8dfxmoabcdef.1"
const documentOf = (store: DotStore): Uint8Array => {
  const document: Document = { ...empty, context: new Map([[actor, 9]]), store }
  return DocumentCodec.encode(document).bytes
}

const store = (bucket: string, document: Uint8Array): PeerMessage => ({
  _tag: "Store",
  request: 1,
  bucket,
  fingerprint: "",
  key: { partition: encodeFields(["k"]), sort: "" },
  sync: true,
  document
})

const put = { key: "good", op: "put", args: ["x"] }
/** The others still serve with it; the first frames to the incarnation that we made up are lost. */
const stillServes = (): void => {
  stepped.write(1, notes, { ...put, w: "all" })
  stepped.runtime.advance(3_000)
  expect(stepped.write(1, notes, { ...put, w: "all" }).answer.replied).toBe(3)
  expect(stepped.read(1, notes, { key: "good", r: "all" }).answer.values).toContain("x")
}

describe("a node", () => {
  it("goes on after any message, asked for or not", () => {
    fc.assert(fc.property(fc.array(messages, { maxLength: 5 }), (all) => send(...all)))
    stillServes()
  })

  it("goes on after any document of a bucket that it knows", () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.of(1, ...rest))
    fc.assert(
      fc.property(bytes, fc.constantFrom("notes", "profiles", "shelves"), (document, bucket) => {
        send(store(bucket, document))
        stepped.read(1, { name: bucket }, { key: "k", r: 1 })
      })
    )
    stillServes()
  })

  it("says that a value which is no JSON cannot be read, and shows all others", () => {
    const latest = { kind: "latest", actor, counter: 9, stamp: 1, value: "{\"name\":" } as const
    send(store("profiles", documentOf(latest)))
    const sibling = { actor, counter: 9, stamp: 1, value: "nonsense" }
    send(store("notes", documentOf({ kind: "values", siblings: [sibling] })))
    expect(stepped.read(1, profiles, { key: "k", r: 1 }).error)
      .toMatchObject({ _tag: "Undecodable", bucket: "profiles" })
    expect(stepped.read(1, notes, { key: "k", r: 1 }).error).toMatchObject({ _tag: "Undecodable" })
    stillServes()
  })

  it("shows nothing of a state of another kind than its bucket's, and takes writes again", () => {
    send(store(
      "profiles",
      documentOf({
        kind: "counter",
        totals: new Map([[actor, {
          removed: { counter: 0, sum: 0 },
          updates: [{ counter: 9, sum: 1 }],
          isCut: false
        }]])
      })
    ))
    const read = stepped.read(1, profiles, { key: "k", r: 1 })
    expect(read.answer.values).toEqual([])
    const write = stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: "x" }], w: 1 })
    expect(write.isOpen).toBe(false)
    stillServes()
  })
})
