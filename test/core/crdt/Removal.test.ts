// Checks that a removal removes the dots it had seen, sooner or later, and no others.
import { describe, expect, it } from "vitest"
import type { TypeDefinition } from "../../../src/core/model/BucketDefinition.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import { Replica, replicas } from "../Replica.ts"
import { formerGoldenFormats } from "./goldenDocuments.ts"

const set: TypeDefinition = { type: "set" }
const counter: TypeDefinition = { type: "counter" }

/** The client has read "old" at a, and removes it at b, which has not got it yet. */
const deferred = () => {
  const [a, b, c] = replicas(set, "abc")
  a!.operate("add", ["old"])
  b!.operate("remove", ["old"], a!.read().context)
  return { a: a!, b: b!, c: c! }
}

describe("a removal that had seen more than its replica has", () => {
  it("waits, and removes the dots it had seen when they arrive", () => {
    const { a, b } = deferred()
    expect(b.document.deferred).toHaveLength(1)
    b.receive(a.document)
    expect(b.read().values).toEqual([])
    expect(b.document.deferred).toEqual([])
  })

  it("travels with the document while it waits", () => {
    const { a, b, c } = deferred()
    c.receive(b.document)
    expect(c.document.deferred).toHaveLength(1)
    expect(c.receive(a.document).read().values).toEqual([])
  })

  it("leaves concurrent additions", () => {
    const { a, b, c } = deferred()
    c.operate("add", ["old"])
    b.receive(c.document)
    expect(b.read().values).toEqual([["old"]])
    expect(b.receive(a.document).read().values).toEqual([["old"]])
    expect(a.receive(b.document).read().values).toEqual([["old"]])
  })

  it("is not forgotten when its field is removed in the meantime (basho/riak_dt#99)", () => {
    const [a, b] = replicas({ type: "map", of: set }, "ab")
    a!.operate("add", ["k", "old"])
    const seen = a!.read().context
    b!.operate("add", ["k", "other"])
    b!.operate("remove", ["k", "old"], seen)
    b!.operate("drop", ["k"])
    expect(b!.receive(a!.document).read().values).toEqual([])
  })
})

describe("a removal of a counter", () => {
  const map: TypeDefinition = { type: "map", of: counter }

  it("leaves exactly the concurrent increments (basho/riak_dt#98)", () => {
    const [a, b] = replicas(map, "ab")
    a!.operate("add", ["k", 5])
    b!.receive(a!.document)
    b!.operate("add", ["k", 2])
    a!.operate("drop", ["k"])
    expect(a!.read().values).toEqual([])
    expect(a!.receive(b!.document).read().values).toEqual([{ k: 2 }])
    expect(b!.receive(a!.document).read().values).toEqual([{ k: 2 }])
  })

  it("takes what its client had seen, and leaves what the same actor added since", () => {
    const [a] = replicas(map, "a")
    a!.operate("add", ["k", 10])
    const seen = a!.read().context
    a!.operate("add", ["k", 3])
    a!.operate("drop", ["k"], seen)
    expect(a!.read().values).toEqual([{ k: 3 }])
  })

  it("takes the same whichever node carries it out", () => {
    const [n1, n2] = replicas(counter, "ab")
    n1!.operate("add", [10])
    n2!.receive(n1!.document)
    const seen = n2!.read().context
    n1!.operate("add", [1])
    for (const coordinator of [n1!, n2!]) {
      const before = coordinator.document
      expect(coordinator.operate("delete", [], seen)).toBe("Changed")
      const other = coordinator === n1! ? n2! : n1!
      const both = Document.join(coordinator.document, other.document)
      expect(new Replica("c", { family: "crdt", type: counter }).receive(both).read().values)
        .toEqual([1])
      coordinator.document = before
    }
  })

  it("takes of a counter from before updates were kept all or nothing", () => {
    const former = formerGoldenFormats["document-1"]["counter"]!
    const [a, b] = VersionVector.sorted(former.context)
    const removed = (...seen: ReadonlyArray<readonly [string, number]>) => {
      const replica = new Replica("c", { family: "crdt", type: counter }).receive(former)
      const outcome = replica.operate("delete", [], { vector: new Map(seen), stamp: 0 })
      return { outcome, values: replica.read().values }
    }
    expect(removed(a!).values).toEqual([1 - 2 ** 53])
    expect(removed(a!, b!).values).toEqual([])
    expect(removed([b![0], 299])).toEqual({ outcome: "ContextTooOld", values: [1 - 2 ** 53] })
  })

  it("takes nothing that a removal before it has taken", () => {
    const [a, b] = replicas(map, "ab")
    a!.operate("add", ["k", 10])
    const early = a!.read().context
    a!.operate("add", ["k", 5])
    b!.receive(a!.document).operate("drop", ["k"])
    a!.operate("add", ["k", 3])
    a!.receive(b!.document).operate("drop", ["k"], early)
    expect(a!.read().values).toEqual([{ k: 3 }])
  })

  it("by a client that has not seen 16 updates of one actor must be asked for anew", () => {
    const [a] = replicas(map, "a")
    a!.operate("add", ["k", 10])
    const seen = a!.read().context
    for (let i = 0; i < 15; i++) a!.operate("add", ["k", 1])
    const { counter: before, document } = a!
    expect(a!.operate("drop", ["k"], seen)).toBe("Changed")
    expect(a!.read().values).toEqual([{ k: 15 }])
    Object.assign(a!, { counter: before, document })
    a!.operate("add", ["k", 1])
    expect(a!.operate("drop", ["k"], seen)).toBe("ContextTooOld")
    expect(a!.read().values).toEqual([{ k: 26 }])
    expect(a!.operate("drop", ["k"], a!.read().context)).toBe("Changed")
    expect(a!.read().values).toEqual([])
  })

  it("at a replica that knows 16 later updates is refused, and joins with them elsewhere", () => {
    const [a, b] = replicas(map, "ab")
    a!.operate("add", ["k", 10])
    b!.receive(a!.document)
    for (let i = 0; i < 40; i++) a!.operate("add", ["k", 1])
    b!.operate("drop", ["k"])
    expect(b!.receive(a!.document).read().values).toEqual([{ k: 40 }])
    expect(a!.receive(b!.document).read().values).toEqual([{ k: 40 }])
  })

  it("is refused by a replica that has not caught up, because a context holds no amounts", () => {
    const [a, b] = replicas(map, "ab")
    a!.operate("add", ["k", 5])
    expect(b!.operate("drop", ["k"], a!.read().context)).toBe("ContextAhead")
    expect(b!.receive(a!.document).operate("drop", ["k"], a!.read().context)).toBe("Changed")
    expect(a!.receive(b!.document).read().values).toEqual([])
  })
})
