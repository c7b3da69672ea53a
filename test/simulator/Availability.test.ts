// Checks which requests a healthy node may leave unanswered: those that the node could not answer
// alone in the moment in which it took them.
import { describe, expect, it } from "vitest"
import * as CausalContext from "../../src/core/clock/CausalContext.ts"
import {
  NoAnswer,
  NodeUnwritable,
  OperationUnknown,
  Overloaded,
  StaleMark,
  type StoreError
} from "../../src/core/model/StoreError.ts"
import { anonymous } from "../../src/core/model/Principal.ts"
import type { NodeCore } from "../../src/node/NodeCore.ts"
import type { Plan, PlannedOperation } from "../../src/testing/simulator/Plan.ts"
import { judgeRefusal } from "../../src/testing/simulator/AvailabilityJudge.ts"
import { run } from "../../src/testing/simulator/Run.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { SimCluster } from "../../src/testing/simulator/SimCluster.ts"
import { build } from "../../src/testing/simulator/SimNode.ts"
import { type Taking, takingOf } from "../../src/testing/simulator/Taking.ts"

const nodes = ["n1", "n2", "n3"]

const read: Omit<PlannedOperation, "id" | "atMillis" | "node"> = {
  session: 0,
  bucket: "tags",
  key: "tags0",
  consistency: "available",
  action: { kind: "read" }
}

/** Reads through one node, one after the other. */
const planOf = (node: string, atMillis: ReadonlyArray<number>): Plan => ({
  seed: 1,
  nodes,
  partitionCount: 8,
  answerLoss: 0,
  lateShare: 0,
  chaosMillis: 10_000,
  maxPayloadBytes: 65_536,
  cacheBytesMax: 0,
  limits: {},
  disk: "model",
  guarded: [],
  operations: atMillis.map((at, i) => ({ ...read, id: i + 1, atMillis: at, node })),
  faults: []
})

/** A node that takes no write, though its disk works. */
const refusing = (core: NodeCore): NodeCore => {
  Object.defineProperty(core.replica, "writable", { value: () => false })
  return core
}

describe("a read of an absent document", () => {
  it.each(nodes)("may fail at a node that forms its cluster meanwhile: %s", (node) => {
    const { record } = run(planOf(node, [0, 1, 2]))
    expect(record.events.map(({ error }) => error)).toContainEqual(
      expect.stringContaining("incomplete")
    )
    expect(record.unavailable).toEqual([])
  })
})

describe("a write to a healthy primary", () => {
  const plan = planOf("n1", [5_000])
  const write: PlannedOperation = {
    ...plan.operations[0]!,
    action: { kind: "add", item: "i1", seen: "nothing" }
  }
  const writing = { ...plan, operations: [write] }

  it("is done, and nothing is noted", () => {
    const { record } = run(writing)
    expect(record.events[0]).toMatchObject({ outcome: "ok", answeredBy: "n1" })
    expect(record.unavailable).toEqual([])
  })

  it("is noted where the primary refuses it, though another one carries it out", () => {
    const { record } = run(writing, {
      build: (options, incarnation) => {
        const core = build(options, incarnation)
        return options.node === "n1" ? refusing(core) : core
      }
    })
    expect(record.events[0]).toMatchObject({ outcome: "ok", answeredBy: "n2" })
    expect(record.unavailable).toEqual([
      "n1 refused o1: node n1 takes no writes: its disk is full or failing"
    ])
  })
})

describe("a session that has seen more than the asked node has", () => {
  const startMillis = 5_000
  const cluster = new SimCluster({ plan: planOf("n1", [0]) })
  cluster.start()
  cluster.kernel.run(startMillis)
  const key = cluster.keyOf(read)
  const scope = { bucket: read.bucket, key, cluster: cluster.cluster, keys: cluster.keys }
  const seen = new Map([["n2.0mjuohs00abcdef.1", 2]])
  const shown = CausalContext.encode({ vector: seen, stamp: 0 }, scope)
  const unshown = CausalContext.encode({ ...CausalContext.nothing, unshown: seen }, scope)
  const takes = (action: "read" | "write", body: object) =>
    takingOf(cluster, cluster.node("n1").core!, {
      node: "n1",
      process: "n1",
      action,
      bucket: read.bucket,
      body: { key: read.key, ...body }
    })

  it.each([["shown", shown], ["not shown", unshown]])("makes its read wait: %s", (_, token) => {
    expect(takes("read", { after: [token] })).toMatchObject({ isBehind: true })
  })

  it("makes no write wait that does not follow a newer read", () => {
    expect(takes("write", { after: [shown] })).toMatchObject({ isBehind: false })
    expect(takes("write", { context: shown })).toMatchObject({ isBehind: true })
  })

  it("makes its read wait at a node that a second process under its id wrote beside", () => {
    const twinned = new SimCluster({ plan: planOf("n1", [0]) })
    const { kernel } = twinned
    twinned.start()
    kernel.run(startMillis)
    const n1 = twinned.node("n1")
    n1.startTwin()
    // Of two that hear of each other, one stops.
    n1.pause(1)
    for (const other of ["n2", "n3"]) twinned.node(other).crash()
    const second = n1.process({ ...stream(1, "the second process"), chance: () => true })
    kernel.run(kernel.now + 1_000, () => second.core !== undefined)
    const tokens: Array<string> = []
    second.core!.coordinator.handle({
      action: "write",
      bucket: read.bucket,
      body: { key: read.key, calls: [{ name: "add", args: ["i1"] }], w: 1 },
      principal: anonymous,
      forwarded: false
    }, {
      deliver: (outcome) => void (outcome._tag === "Answer" && tokens.push(outcome.context))
    })
    kernel.run(kernel.now + 1_000)
    n1.endTwin()
    n1.resume(1)
    expect(tokens).toHaveLength(1)
    expect(takingOf(twinned, n1.core!, {
      node: "n1",
      process: "n1",
      action: "read",
      bucket: read.bucket,
      body: { key: read.key, after: tokens }
    })).toMatchObject({ isBehind: true })
  })

  it("may be refused, as may a message beside others, by a node that something befell", () => {
    const { calm } = cluster.node("n1")
    const taking = { node: "n1", calm, isIncomplete: false, isBehind: false, isLoaded: false }
    const operation = planOf("n1", [0]).operations[0]!
    const full = new NodeUnwritable({ node: "n1", reason: "its disk is full" })
    const unknown = new OperationUnknown({ nodes: [], mayHaveApplied: true })
    const judge = (error: StoreError, isOnly: boolean, more: Partial<Taking> = {}) =>
      judgeRefusal(cluster, operation, { error, isOnly, taking: { ...taking, ...more } })
    expect(judge(full, false)).toContain("n1 refused o1")
    expect(judge(full, true, { isBehind: true })).toBeUndefined()
    expect(judge(full, true, { calm: (calm ?? 0) - 1 })).toBeUndefined()
    const busy = new Overloaded({ node: "n1", retryAfterMillis: 50 })
    expect(judge(busy, true, { isLoaded: true })).toBeUndefined()
    expect(judge(busy, true)).toContain("n1 refused o1")
    expect(judge(unknown, true)).toContain("n1 refused o1")
    expect(judge(unknown, false)).toBeUndefined()
    const inDoubt = new NoAnswer({ reason: "no time was left", mayHaveApplied: true })
    const notDone = new NoAnswer({ reason: "no time was left", mayHaveApplied: false })
    expect(judge(inDoubt, false)).toBeUndefined()
    expect(judge(inDoubt, true)).toContain("n1 refused o1")
    expect(judge(notDone, false)).toContain("n1 refused o1")
    expect(judge(new StaleMark({ node: "n1", mark: "newer" }), true)).toBeUndefined()
  })

  it("is the only reason of a complete node to wait", () => {
    const { calm } = cluster.node("n1")
    const taking = { node: "n1", calm, isIncomplete: false, isBehind: false, isLoaded: false }
    expect(takes("read", {})).toEqual(taking)
  })
})
