// Checks that an operation which names itself is applied once, or that its client is told that this
// cannot be told: whatever the clocks, the numbers of operations, and the nodes that are asked.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { isObject } from "../../src/core/model/CanonicalJson.ts"
import { buckets, notes, profiles, shelves } from "../cluster/buckets.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"
import { begin, done, MarkedClient, send } from "./markedClient.ts"

let stepped: SteppedCluster
let client: MarkedClient
const start = async (operationIdsMax = 262_144, nodes = 3) => {
  stepped = await SteppedCluster.start({ nodes, buckets, limits: { operationIdsMax } })
  client = new MarkedClient(stepped)
}
beforeEach(() => start())
afterEach(() => stepped.stop())

const visit: RequestBody = { key: "k", calls: [{ name: "visits.add", args: [1] }] }
const id = (sequence: number, session = "s") => ({ session, sequence })
const visits = (at = 1): unknown => {
  const [value] = stepped.read(at, shelves, { key: "k", r: "all" }).answer.values
  return isObject(value) ? value["visits"] : 0
}

describe("a retry at the same node", () => {
  it("after 256 other operations on the document is answered, and not applied again", () => {
    const first = client.operation(shelves, visit)
    first.send(1)
    for (let i = 0; i < 256; i++) client.operation(shelves, visit).send(1)
    stepped.runtime.advance(256)
    expect(first.send(1).answer.values).toHaveLength(1)
    expect(visits()).toBe(257)
  })

  it("of an operation that was forgotten is told that nobody knows", async () => {
    stepped.stop()
    await start(4)
    const first = client.operation(shelves, visit)
    first.send(1)
    for (let i = 0; i < 8; i++) client.operation(shelves, visit).send(1)
    expect(first.send(1).error).toMatchObject({ _tag: "OperationUnknown", mayHaveApplied: true })
    expect(visits()).toBe(9)
  })

  it("of a forgotten operation is applied again under a new mark, where asked for", async () => {
    stepped.stop()
    await start(4)
    const first = client.operation(shelves, visit)
    first.send(1)
    for (let i = 0; i < 8; i++) client.operation(shelves, visit).send(1)
    const stale = first.send(1, { ifUnknown: "apply" })
    expect(stale.error).toMatchObject({ _tag: "StaleMark" })
    expect(visits()).toBe(9)
    done(first.send(1, { ifUnknown: "apply", mark: stale.sender!.mark }))
    expect(visits()).toBe(10)
  })

  it("after a kill before the commit is answered by the nodes that it reached", async () => {
    const operation = client.operation(shelves, visit)
    operation.send(1)
    stepped.cluster.crash(node(1))
    stepped.nodes[0]!.disk.database.exec("DELETE FROM documents; DELETE FROM family_rows")
    // An incarnation is told from one that is forgotten by its time alone here.
    stepped.runtime.advance(1)
    await stepped.restart(1)
    done(operation.send(1))
    expect(visits()).toBe(1)
  })

  it("after a failed commit is answered by the nodes that it reached", () => {
    const operation = client.operation(shelves, { ...visit, w: 3, timeoutMillis: 300 })
    client.operation(shelves, visit).send(1)
    const { storage } = stepped.nodes[0]!.core.options
    const { write } = storage
    const failing = { kind: "failing", detail: "of the test" } as const
    Object.assign(storage, {
      write: (batch: Parameters<typeof write>[0], done: Parameters<typeof write>[1]) => {
        stepped.runtime.endOfTurn(() => done(failing))
        return batch.documents.map((_, i) => i + 1)
      }
    })
    const sent = operation.send(1)
    stepped.runtime.advance(400)
    expect(sent.error).toMatchObject({ mayHaveApplied: true })
    Object.assign(storage, { write })
    stepped.runtime.advance(1_000)
    done(operation.send(1))
    stepped.runtime.advance(100)
    expect(visits()).toBe(2)
  })
})

describe("a named write whose first commit failed", () => {
  it("is not applied again by a retry elsewhere, though the first attempt is still sent", () => {
    const body = { ...visit, operationId: id(0, "a name") }
    const { storage } = stepped.nodes[0]!.core.options
    const { write } = storage
    let hasFailed = false
    const failing = { kind: "failing", detail: "of the test" } as const
    Object.assign(storage, {
      write: (batch: Parameters<typeof write>[0], done: Parameters<typeof write>[1]) => {
        hasFailed = true
        stepped.runtime.endOfTurn(() => done(failing))
        return batch.documents.map((_, i) => i + 1)
      }
    })
    stepped.loses = ({ from }) => hasFailed && from === "n1"
    const first = send(stepped, 1, { bucket: shelves, body })
    Object.assign(storage, { write })
    stepped.loses = () => false
    // A frame tells the others of the new incarnation.
    stepped.read(1, shelves, { key: "other" })
    const retry = send(stepped, 3, { bucket: shelves, body })
    stepped.runtime.advance(6_000)
    expect(retry.outcomes).toMatchObject([{ _tag: "OperationUnknown" }])
    expect(first.outcomes).toHaveLength(1)
    expect(visits(2)).toBe(1)
  })
})

describe("a write that all primaries refuse", () => {
  it("is refused through another node as by a primary, after few messages", async () => {
    stepped.stop()
    await start(262_144, 5)
    const { others, primaries } = stepped.nodesOf(shelves, "k")
    let refusals = 0
    for (const at of primaries) {
      Object.assign(stepped.nodes[at - 1]!.core.replica, {
        writable: () => {
          refusals++
          return false
        }
      })
    }
    const sent = client.operation(shelves, visit).send(others[0]!)
    stepped.runtime.advance(3_000)
    expect(sent.error).toMatchObject({ _tag: "NodeUnwritable" })
    expect(refusals).toBeLessThanOrEqual(primaries.length)
  })
})

describe("a retry at another node", () => {
  it("is answered there, where the first has sent it the operation", () => {
    const operation = client.operation(shelves, visit)
    operation.send(1)
    for (const at of [2, 3, 2]) done(operation.send(at))
    expect(visits()).toBe(1)
  })

  it("while the first is cut off is told that nobody knows, at once", () => {
    client.operation(shelves, visit).send(1)
    stepped.cut(1)
    const operation = client.operation(shelves, { ...visit, w: 1 })
    expect(operation.send(1).answer.replied).toBe(1)
    operation.giveUp(1)
    const { error } = operation.send(2)
    expect(error).toMatchObject({ _tag: "OperationUnknown", nodes: [{ node: "n1" }] })
    stepped.heal()
    stepped.runtime.advance(2_000)
    expect(visits()).toBe(2)
  })

  it("after the first certainly did nothing is applied, and its late message is not", () => {
    for (const at of [1, 2]) client.operation(shelves, visit).send(at)
    const marks = new Map(client.marks)
    const body = { ...visit, operationId: id(1) }
    const mark = marks.get(2)!
    const tried = [{ node: node(1), mark: marks.get(1)! }]
    done(send(stepped, 2, { bucket: shelves, body: { ...body, mark, tried } }))
    // The message to the first comes only now.
    stepped.cut(2, 3)
    const late = send(stepped, 1, { bucket: shelves, body: { ...body, mark: marks.get(1)! } })
    expect(late.isOpen ? undefined : late.outcome._tag).not.toBe("Answer")
    stepped.heal()
    stepped.runtime.advance(2_000)
    expect(visits()).toBe(3)
  })
})

describe("a node that refuses a write for which it asks others", () => {
  it.each([["of a client", false], ["of another node", true]])(
    "carries out no earlier message of it: %s",
    (_, forwarded) => {
      for (const at of [1, 2, 3]) client.operation(shelves, visit).send(at)
      const tried = [{ node: node(3), mark: client.marks.get(3)! }]
      const operation = { ...visit, timeoutMillis: 4_000, operationId: id(1) }
      const body = { ...operation, mark: client.marks.get(1)!, tried }
      stepped.cut(3)
      const first = begin(stepped, 1, { bucket: shelves, body, forwarded })
      stepped.runtime.advance(10)
      expect(first.isOpen).toBe(true)
      stepped.nodes[0]!.core.coordinator.drain()
      const repeat = begin(stepped, 1, { bucket: shelves, body, forwarded })
      expect(repeat.error._tag).toBe("NodeUnavailable")
      expect(first.error._tag).toBe("StaleMark")
      stepped.heal()
      stepped.runtime.advance(4_000)
      expect(visits(2)).toBe(3)
      // Its client asks another node, and need not name the one that has refused.
      const { mark } = send(stepped, 2, { bucket: shelves, body: { ...body, mark: "" } }).sender!
      done(send(stepped, 2, { bucket: shelves, body: { ...body, mark } }))
      expect(visits(2)).toBe(4)
    }
  )
})

describe("one operation sent to all nodes at once", () => {
  it.each([
    ["without marks", false],
    ["with the marks of each", true]
  ])("is applied once and answered by each: %s", (_, hasMarks) => {
    for (const at of [1, 2, 3]) client.operation(shelves, visit).send(at)
    for (let round = 0; round < 30; round++) {
      const sent = [1, 2, 3].map((at) => {
        const others = [1, 2, 3].filter((other) => other !== at)
        const tried = others.map((other) => ({ node: node(other), mark: client.marks.get(other)! }))
        const marked = hasMarks ? { mark: client.marks.get(at)!, tried } : {}
        // All are sent before any turn ends.
        return { at, body: { ...visit, ...marked, operationId: id(round) } }
      })
      const sendings = sendAll(sent)
      stepped.runtime.advance(1_500)
      const tags = sendings.map(({ outcome }) => outcome._tag)
      expect(tags.filter((tag) => tag === "Answer").length).toBeGreaterThan(0)
      if (!hasMarks) expect(tags).toEqual(["Answer", "Answer", "Answer"])
      sendings.forEach((sending, i) => client.learn(i + 1, sending))
      expect(visits()).toBe(3 + round + 1)
    }
  })
})

const sendAll = (sent: ReadonlyArray<{ readonly at: number; readonly body: RequestBody }>) => {
  const sendings = sent.map(({ at, body }) => begin(stepped, at, { bucket: shelves, body }))
  stepped.runtime.runReady()
  return sendings
}

describe("clocks", () => {
  const minute = 60_000
  it.each([-11 * minute, 11 * minute, -10 * 365 * 1440 * minute, 10 * 365 * 1440 * minute])(
    "of nodes that are off by %i ms refuse no write that names itself, nor apply it twice",
    (offset) => {
      stepped.clockOffsets.set(1, offset)
      const operation = client.operation(shelves, { ...visit, w: 1 })
      done(operation.send(1))
      done(operation.send(1))
      done(operation.send(2))
      const blind = client.operation(notes, {
        key: "k",
        w: 1,
        calls: [{ name: "put", args: ["a"] }]
      })
      done(blind.send(1))
      done(blind.send(2))
      stepped.runtime.advance(1_000)
      expect(visits()).toBe(1)
      expect(stepped.read(2, notes, { key: "k", r: "all" }).answer.values).toEqual(["a"])
    }
  )
})

const sentBytes = () => stepped.nodes[0]!.core.options.transport.stats().sentBytes
const profile = (key: string) =>
  client.operation(profiles, { key, calls: [{ name: "put", args: [{ name: "Ada" }] }] })

describe("a document", () => {
  it("that was written 500 times carries no more bytes between nodes than a new one", () => {
    for (let i = 0; i < 500; i++) done(profile("hot").send(1))
    const before = sentBytes()
    for (let i = 0; i < 20; i++) done(profile("hot").send(1))
    const hot = sentBytes() - before
    const cold = sentBytes()
    for (let i = 0; i < 20; i++) done(profile(`cold${i}`).send(1))
    expect(hot).toBeGreaterThan(0)
    expect(hot).toBeLessThan(1.3 * (sentBytes() - cold))
  })
})
