// Checks that a write which names its operation is carried out once, wherever its retry arrives, as
// hand-written requests without marks send it.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { buckets, notes, shelves } from "../cluster/buckets.ts"
import { SteppedCluster, type WriteBody } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

const visit = (sequence: number, more: Partial<WriteBody> = {}): WriteBody => ({
  key: "k",
  op: "visits.add",
  args: [1],
  operationId: { session: "s", sequence },
  ...more
})
const visits = (): unknown =>
  stepped.read(1, shelves, { key: "k", r: "all" }).answer.values[0] ?? "none"

describe("a retry", () => {
  it("is answered like the first attempt, and applied once", () => {
    const request = visit(1)
    const first = stepped.write(1, shelves, request).answer
    const again = stepped.write(1, shelves, request).answer
    expect(again.values).toEqual(first.values)
    expect(again.replied).toBe(first.replied)
    expect(visits()).toMatchObject({ visits: 1 })
  })

  it("at another node whose replica has it is answered there", () => {
    const request = visit(1, { w: 3 })
    stepped.write(1, shelves, request)
    for (const nodeNumber of [2, 3]) stepped.write(nodeNumber, shelves, request)
    expect(visits()).toMatchObject({ visits: 1 })
  })

  it("after a restart of the node is answered there", async () => {
    const request = visit(1)
    stepped.write(1, shelves, request)
    stepped.cluster.crash(stepped.nodes[0]!.id)
    await stepped.restart(1)
    expect(stepped.write(1, shelves, request).answer.values).toMatchObject([{ visits: 1 }])
  })

  it("of a write that had too few replicas gives it to the others, once they are back", () => {
    const lost = { ...visit(1, { w: 2 }) }
    stepped.loses = ({ from, to }) => from === "n1" && to !== "n1" && isStored
    let isStored = false
    stepped.write(1, shelves, visit(0))
    isStored = true
    const asked = stepped.write(1, shelves, { ...lost, ifUnknown: "apply" })
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet", mayHaveApplied: true })
    isStored = false
    stepped.runtime.advance(2_000)
    expect(stepped.write(1, shelves, lost).answer.values).toMatchObject([{ visits: 2 }])
    expect(visits()).toMatchObject({ visits: 2 })
  })

  it("while the first attempt is under way is answered with it", () => {
    stepped.cut(2, 3)
    const request = visit(1, { timeoutMillis: 3_000 })
    const asked = [1, 2, 3].map(() => stepped.write(1, shelves, request))
    expect(asked.map(({ isOpen }) => isOpen)).toEqual([true, true, true])
    stepped.heal()
    stepped.runtime.advance(1_500)
    for (const { answer } of asked) expect(answer.values).toMatchObject([{ visits: 1 }])
    expect(visits()).toMatchObject({ visits: 1 })
  })

  it("of a put is not a second sibling, and does not bring back a value that was replaced", () => {
    const operationId = { session: "s", sequence: 1 }
    const put = { key: "k", op: "put", args: ["x"], operationId }
    const { context } = stepped.write(1, notes, put).answer
    stepped.write(1, notes, { key: "k", op: "put", args: ["y"], context })
    expect(stepped.write(1, notes, put).answer.values).toEqual(["y"])
    expect(stepped.read(1, notes, { key: "k", r: "all" }).answer.values).toEqual(["y"])
  })

  it("is another operation if its number or its session is another", () => {
    stepped.write(1, shelves, visit(1))
    stepped.write(1, shelves, visit(2))
    const operationId = { session: "t", sequence: 1 }
    stepped.write(1, shelves, visit(1, { operationId }))
    expect(visits()).toMatchObject({ visits: 3 })
  })

  it("of several operations is known by the one id of all", () => {
    const calls = [{ name: "visits.add", args: [1] }, { name: "visits.add", args: [2] }]
    const operationId = { session: "s", sequence: 1 }
    for (const at of [1, 2, 1]) {
      stepped.cluster.backends[at - 1]!.request(
        {
          action: "write",
          bucket: shelves.definition.name,
          body: { key: "k", calls, operationId }
        },
        () => {}
      )
      stepped.runtime.runReady()
    }
    expect(visits()).toMatchObject({ visits: 3 })
  })
})
