// Checks that a write which names its operation is carried out once, wherever its retry arrives.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { RequestTooOld } from "../../src/core/model/StoreError.ts"
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
  operationId: { session: "s", sequence, at: stepped.runtime.now() },
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
    stepped.cut(1)
    const request = visit(1, { w: 2 })
    const asked = stepped.write(1, shelves, request)
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet", mayHaveApplied: true })
    stepped.heal()
    expect(stepped.write(1, shelves, request).answer.values).toMatchObject([{ visits: 1 }])
    expect(visits()).toMatchObject({ visits: 1 })
  })

  it("while the first attempt is under way is answered with it", () => {
    stepped.cut(2, 3)
    const request = visit(1)
    const asked = [1, 2, 3].map(() => stepped.write(1, shelves, request))
    expect(asked.map(({ isOpen }) => isOpen)).toEqual([true, true, true])
    stepped.heal()
    stepped.runtime.advance(600)
    for (const { answer } of asked) expect(answer.values).toMatchObject([{ visits: 1 }])
    expect(visits()).toMatchObject({ visits: 1 })
  })

  it("of a put is not a second sibling, and does not bring back a value that was replaced", () => {
    const operationId = { session: "s", sequence: 1, at: stepped.runtime.now() }
    const put = { key: "k", op: "put", args: ["x"], operationId }
    const { context } = stepped.write(1, notes, put).answer
    stepped.write(1, notes, { key: "k", op: "put", args: ["y"], context })
    expect(stepped.write(1, notes, put).answer.values).toEqual(["y"])
    expect(stepped.read(1, notes, { key: "k", r: "all" }).answer.values).toEqual(["y"])
  })

  it("is another operation if its number or its session is another", () => {
    stepped.write(1, shelves, visit(1))
    stepped.write(1, shelves, visit(2))
    const operationId = { session: "t", sequence: 1, at: stepped.runtime.now() }
    stepped.write(1, shelves, visit(1, { operationId }))
    expect(visits()).toMatchObject({ visits: 3 })
  })
})

describe("an id", () => {
  const minute = 60_000

  it("is answered for 10 minutes; an older one is refused, known or not", () => {
    const request = visit(1)
    stepped.write(1, shelves, request)
    const other = visit(2)
    stepped.runtime.advance(10 * minute)
    stepped.write(1, shelves, request)
    expect(visits()).toMatchObject({ visits: 1 })
    stepped.runtime.advance(1)
    for (const late of [request, other]) {
      const { error } = stepped.write(1, shelves, late)
      expect(error).toBeInstanceOf(RequestTooOld)
      expect(error).toMatchObject({ ageMillis: 10 * minute + 1, limitMillis: 10 * minute })
    }
    expect(visits()).toMatchObject({ visits: 1 })
  })

  it("is known as long as any clock within ten minutes of the client's lets it in", () => {
    const request = visit(1, { w: 3 })
    stepped.write(1, shelves, request)
    stepped.runtime.advance(19 * minute)
    stepped.write(1, shelves, visit(2, { w: 3 }))
    stepped.runtime.wallOffsetMillis -= 10 * minute
    expect(stepped.write(2, shelves, request).answer.values).toMatchObject([{ visits: 2 }])
    expect(visits()).toMatchObject({ visits: 2 })
  })
})
