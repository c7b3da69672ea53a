// Checks how many replicas a read or write waits for, by name and number, and what is said where
// too few answer.
import { afterEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { InvalidRequest, QuorumNotMet } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const base = { key: Key.text, value: Schema.String }
const plain = Bucket.lww("plain", base)
const single = Bucket.lww("single", { ...base, n: 1 })
const wide = Bucket.lww("wide", { ...base, n: 5 })
const eager = Bucket.lww("eager", { ...base, r: "one", w: "all" })
const strict = Bucket.lww("strict", { ...base, consistency: "strict" })
const buffered = Bucket.lww("buffered", { ...base, durability: "buffered" })
const oneSynced = Bucket.lww("one-synced", { ...base, durability: "one-synced" })
const buckets = [plain, single, wide, eager, strict, buffered, oneSynced]

let stepped: SteppedCluster
const start = async (nodes: number): Promise<SteppedCluster> => {
  stepped = await SteppedCluster.start({ nodes, buckets })
  return stepped
}
afterEach(() => stepped.stop())

const put = { key: "k", op: "put", args: ["x"] }

/** Whether these are the nodes, in any order. */
const are = (...nodeNumbers: ReadonlyArray<number>) => (nodes: ReadonlyArray<string>): boolean =>
  nodes.toSorted().join() === nodeNumbers.map(node).join()

/** With how many of three primaries up, itself included, a request to n1 is answered. */
const answeredWith = (up: number, ask: () => { readonly isOpen: boolean }): boolean => {
  stepped.cut(...[2, 3].slice(up - 1))
  const { isOpen } = ask()
  stepped.heal()
  stepped.runtime.advance(2_000)
  return !isOpen
}

const read = (settings: object = {}) => () => stepped.read(1, eager, { key: "k", ...settings })
const write = (settings: object = {}) => () => stepped.write(1, eager, { ...put, ...settings })

describe("of three replicas", () => {
  it.each(
    [
      ["the default", {}, 2],
      ["r one", { r: "one" }, 1],
      ["r quorum", { r: "quorum" }, 2],
      ["r all", { r: "all" }, 3],
      ["r 3", { r: 3 }, 3],
      ["pr all", { r: 1, pr: "all" }, 3],
      ["pr 2", { r: 1, pr: 2 }, 2],
      ["available", { consistency: "available" }, 1],
      ["balanced", { consistency: "balanced" }, 2],
      ["strict", { consistency: "strict" }, 2],
      ["strict, but a number", { consistency: "strict", r: 1, pr: 0 }, 1]
    ] as const
  )("a read with %s waits for that many", async (_, settings, needed) => {
    await start(3)
    for (const up of [1, 2, 3]) {
      const ask = () => stepped.read(1, plain, { key: "k", ...settings })
      expect(answeredWith(up, ask)).toBe(up >= needed)
    }
  })

  it.each(
    [
      ["the default", {}, 2],
      ["w one", { w: "one" }, 1],
      ["w all", { w: "all" }, 3],
      ["w 2", { w: 2 }, 2],
      ["pw all", { w: 1, pw: "all" }, 3],
      ["dw all", { w: 1, dw: "all" }, 3],
      ["dw 0", { w: 1, dw: 0 }, 1],
      ["available", { consistency: "available" }, 1],
      ["strict", { consistency: "strict" }, 2]
    ] as const
  )("a write with %s waits for that many", async (_, settings, needed) => {
    await start(3)
    for (const up of [1, 2, 3]) {
      const ask = () => stepped.write(1, plain, { ...put, ...settings })
      expect(answeredWith(up, ask)).toBe(up >= needed)
    }
  })

  it("the bucket's numbers count, unless the request names others", async () => {
    await start(3)
    expect(answeredWith(1, read())).toBe(true)
    expect(answeredWith(1, read({ r: 2 }))).toBe(false)
    expect(answeredWith(2, write())).toBe(false)
    expect(answeredWith(3, write())).toBe(true)
    expect(answeredWith(1, write({ consistency: "available" }))).toBe(true)
    expect(answeredWith(1, () => stepped.read(1, strict, { key: "k" }))).toBe(false)
  })
})

describe("with other numbers of replicas", () => {
  it("a bucket with one replica is decided by its primary alone", async () => {
    await start(5)
    const { primaries, others } = stepped.nodesOf(single, "k")
    expect(primaries).toHaveLength(1)
    stepped.cut(...others)
    expect(stepped.write(primaries[0]!, single, { ...put, w: "all" }).answer.replied).toBe(1)
    expect(stepped.read(primaries[0]!, single, { key: "k", r: "all" }).answer.values).toEqual(["x"])
  })

  it("a majority of five is three", async () => {
    await start(5)
    stepped.cut(4, 5)
    expect(stepped.write(1, wide, put).answer.replied).toBe(3)
    stepped.cut(3)
    const asked = stepped.write(1, wide, put)
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ needed: { w: 3 }, had: { w: 2 } })
  })

  it("more replicas than nodes are refused before anything is done", async () => {
    await start(2)
    const { error } = stepped.write(1, plain, { ...put, w: "all" })
    expect(error).toBeInstanceOf(QuorumNotMet)
    expect(error).toMatchObject({ needed: { w: 3 }, had: { w: 0 }, mayHaveApplied: false })
    expect(stepped.read(1, plain, { key: "k" }).answer.values).toEqual([])
    expect(stepped.write(1, plain, put).answer.replied).toBe(2)
  })
})

describe("a setting that cannot be", () => {
  it.each(
    [
      ["read", { r: 4 }, "r", "4"],
      ["read", { r: 0 }, "r", "0"],
      ["read", { pr: 4 }, "pr", "4"],
      ["write", { w: 4 }, "w", "4"],
      ["write", { w: 0 }, "w", "0"],
      ["write", { pw: -1 }, "pw", "-1"],
      ["write", { dw: 4 }, "dw", "4"]
    ] as const
  )("is refused in a %s with %j", async (action, settings, setting, value) => {
    await start(3)
    const { error } = action === "read"
      ? stepped.read(1, plain, { key: "k", ...settings })
      : stepped.write(1, plain, { ...put, ...settings })
    expect(error).toBeInstanceOf(InvalidRequest)
    expect(error).toMatchObject({ setting, value })
    expect(error.message).toMatch(/expected one, quorum, all, or an integer from [01] to 3/u)
  })
})

describe("a node that is cut off", () => {
  it("takes writes with w: 1, and the others get them by read repair", async () => {
    await start(3)
    stepped.cut(1)
    const { answer } = stepped.write(1, plain, { ...put, w: 1 })
    expect(answer).toMatchObject({ values: ["x"], replied: 1 })
    const asked = stepped.read(2, plain, { key: "k" })
    stepped.runtime.advance(1_000)
    expect(asked.answer.values).toEqual([])
    stepped.heal()
    expect(stepped.read(2, plain, { key: "k", r: "all" }).answer.values).toEqual(["x"])
  })

  it("reports a write's counts, the unreachable nodes, and that it may apply", async () => {
    await start(3)
    stepped.cut(1)
    const asked = stepped.write(1, plain, put)
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(1_000)
    expect(asked.error).toBeInstanceOf(QuorumNotMet)
    expect(asked.error).toMatchObject({
      action: "write",
      needed: { w: 2, pw: 0, dw: 2 },
      had: { w: 1, pw: 1, dw: 1 },
      unreachable: expect.toSatisfy(are(2, 3)),
      refused: [],
      mayHaveApplied: true
    })
    expect(asked.error.message).toMatch(
      /^write needed w 2, pw 0, dw 2, had w 1, pw 1, dw 1; no answer from n., n.; it may have/u
    )
    stepped.heal()
    expect(stepped.read(1, plain, { key: "k" }).answer.values).toEqual(["x"])
  })

  it("does not call itself unreachable where its own disk is late", async () => {
    await start(3)
    stepped.cut(1)
    const { storage } = stepped.nodes[0]!.core.options
    const { write } = storage
    const finishing: Array<() => void> = []
    Object.assign(storage, {
      write: (...[batch, done]: Parameters<typeof write>) =>
        write(batch, (failure) => void finishing.push(() => done(failure)))
    })
    const asked = stepped.write(1, plain, put)
    stepped.runtime.advance(2_500)
    expect(asked.error).toMatchObject({
      had: { w: 0, pw: 0, dw: 0 },
      unreachable: expect.toSatisfy(are(2, 3)),
      refused: [{ node: "n1", reason: "its own disk has not finished the write in time" }],
      mayHaveApplied: true
    })
    expect(asked.error.message).toMatch(
      /; no answer from n., n.; n1: its own disk has not finished the write in time; it may have/u
    )
    for (const finish of finishing) finish()
  })

  it.each([
    ["n2 and n3 are away", [2, 3], "QuorumNotMet"],
    ["n3 is away", [3], "ContextNotCovered"]
  ])("does not call itself unreachable where a read waits for its disk: %s", async (
    _,
    gone,
    error
  ) => {
    await start(3)
    const { storage } = stepped.nodes[0]!.core.options
    const { write } = storage
    const finishing: Array<() => void> = []
    Object.assign(storage, {
      write: (...[batch, done]: Parameters<typeof write>) =>
        write(batch, (failure) => void finishing.push(() => done(failure)))
    })
    stepped.loses = ({ to }) => to === node(2)
    const { context } = stepped.write(1, plain, { ...put, w: 1, dw: 1 }).answer
    stepped.loses = ({ from, to }) => [from, to].some((id) => gone.map(node).includes(id))
    const asked = stepped.read(1, plain, { key: "k", r: 1, after: [context] })
    stepped.runtime.advance(2_500)
    expect(asked.error).toMatchObject({
      _tag: error,
      unreachable: expect.toSatisfy(are(...gone)),
      refused: [{ node: "n1", reason: "its own disk has not finished the write in time" }]
    })
    expect(asked.error.message).toContain("; n1: its own disk has not finished")
    for (const finish of finishing) finish()
  })

  it("reports the same of a read, which never applied", async () => {
    await start(3)
    stepped.cut(1)
    const asked = stepped.read(1, plain, { key: "k" })
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({
      action: "read",
      needed: { r: 2, pr: 0 },
      had: { r: 1, pr: 1 },
      unreachable: expect.toSatisfy(are(2, 3)),
      mayHaveApplied: false
    })
  })
})

const breakDisk = (nodeNumber: number): void =>
  stepped.nodes[nodeNumber - 1]!.disk.database.exec(
    "CREATE TRIGGER broken BEFORE INSERT ON documents BEGIN SELECT RAISE(ABORT, 'injected'); END"
  )

describe("disks", () => {
  it("that fail do not count for dw, and are named with their reasons", async () => {
    await start(3)
    breakDisk(2)
    breakDisk(3)
    const asked = stepped.write(1, plain, { ...put, w: 1, dw: 2 })
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ had: { dw: 1 }, unreachable: [], mayHaveApplied: true })
    const refused = asked.error instanceof QuorumNotMet ? asked.error.refused : []
    expect(refused.map(({ node }) => node)).toSatisfy(are(2, 3))
    for (const { reason } of refused) expect(reason).toContain("injected")
  })

  it("of the coordinator may fail, where the others' are enough", async () => {
    await start(3)
    breakDisk(1)
    expect(stepped.write(1, plain, put).answer.replied).toBe(2)
    const { error } = stepped.write(1, plain, put)
    expect(error).toMatchObject({ _tag: "NodeUnwritable", node: "n1" })
    expect(stepped.read(1, plain, { key: "k" }).answer.values).toEqual(["x"])
  })

  it("do not hold up a buffered bucket, and only one holds up a one-synced bucket", async () => {
    await start(3)
    for (const nodeNumber of [1, 2, 3]) breakDisk(nodeNumber)
    expect(stepped.write(1, buffered, { ...put, w: "all" }).answer.replied).toBe(3)
    stepped.runtime.advance(1_000)
    const asked = stepped.write(2, oneSynced, { ...put, w: 2 })
    stepped.runtime.advance(1_000)
    expect(asked.error).toMatchObject({ needed: { w: 2, dw: 1 }, had: { w: 2, dw: 0 } })
  })
})
