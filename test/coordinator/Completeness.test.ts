// Checks that strict requests count complete replicas only: after wipes, lost ends of the log, and
// first starts of a part of the cluster.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Schema from "effect/Schema"
import { afterEach, describe, expect, it } from "vitest"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import { QuorumNotMet, type StoreError } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { MemoryDisk } from "../../src/storage/DirectStorage.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"
import type { MemoryClusterOptions } from "../cluster/memoryCluster.ts"

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })
const written = { key: "k", op: "put", args: ["x"], w: 2, dw: 2, pw: 2 } as const
const strictRead = { key: "k", r: 2, pr: 2 } as const

let stepped: SteppedCluster
const directories: Array<string> = []
afterEach(() => {
  stepped.stop()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

const start = async (options: Partial<MemoryClusterOptions> = {}): Promise<SteppedCluster> => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets: [texts], ...options })
  return stepped
}

/** Loses all frames between the nodes and these. */
const away = (...numbers: ReadonlyArray<number>): void => {
  const gone = numbers.map(node)
  stepped.loses = ({ from, to }) => gone.includes(from) || gone.includes(to)
}

const ends = <A>(asked: A): A => {
  stepped.runtime.advance(3_000)
  return asked
}

const crash = (number: number): void => stepped.cluster.crash(node(number))

const statusOf = (number: number) =>
  stepped.nodes.find(({ id }) => id === node(number))!.core.formation.status()

/** A copy of a node's disk as it is now. */
const copyOf = (number: number): MemoryDisk => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-complete-"))
  directories.push(directory)
  const path = join(directory, "store.sqlite")
  const { database, logs } = stepped.nodes[number - 1]!.disk
  database.exec(`VACUUM INTO '${path}'`)
  const copy = new MemoryDisk()
  Object.assign(copy, { database: new DatabaseSync(path), logs })
  return copy
}

/** The page that n1 lists. */
const lists = (body: object = {}) => {
  const pages: Array<KeyPage | StoreError> = []
  const bucket = BucketName.make(texts.name)
  stepped.cluster.backends[0]!.list({ bucket, ...body }, (page) => pages.push(page))
  stepped.runtime.advance(3_000)
  return pages[0]
}

describe("a strict read", () => {
  it("does not say absent where a wiped node and one that missed the write answer", async () => {
    await start()
    away(3)
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
    away()
    crash(1)
    await stepped.restart(1, new MemoryDisk())
    away(2)
    const { error } = ends(stepped.read(1, texts, strictRead))
    expect(error).toBeInstanceOf(QuorumNotMet)
    expect(error.message).toContain("incomplete: n1")
    away()
    expect(ends(stepped.read(1, texts, strictRead)).texts).toEqual(["x"])
    expect(statusOf(1)).toMatchObject({ own: "unnamed", completeness: "incomplete" })
  })

  it("does not say absent where a node lost the end of its log", async () => {
    await start()
    const before = copyOf(1)
    away(3)
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
    away()
    crash(1)
    await stepped.restart(1, before)
    stepped.runtime.advance(1_000)
    expect(statusOf(1).own).toBe("amnesiac")
    away(2)
    expect(ends(stepped.read(1, texts, strictRead)).error).toBeInstanceOf(QuorumNotMet)
  })

  it("does not rely on a restarted node before the one that it told has answered", async () => {
    await start()
    const before = copyOf(1)
    away(3)
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
    away(2)
    crash(1)
    await stepped.restart(1, before)
    stepped.runtime.advance(1_000)
    expect(statusOf(1)).toMatchObject({ completeness: "unsure", awaited: ["n2"] })
    expect(ends(stepped.read(1, texts, strictRead)).error).toBeInstanceOf(QuorumNotMet)
    // Other reads get an answer all the same.
    expect(ends(stepped.read(1, texts, { key: "k", r: 1 })).texts).toEqual([])
  })

  it("is answered again after a restart without loss, at once when the others are up", async () => {
    await start()
    stepped.write(1, texts, written)
    stepped.runtime.advance(1_000)
    crash(1)
    await stepped.restart(1)
    expect(statusOf(1).completeness).toBe("complete")
    away(2)
    expect(ends(stepped.read(1, texts, strictRead)).texts).toEqual(["x"])
  })

  it("does not count a copy that a later write made of a damaged one", async () => {
    await start()
    away(3)
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
    stepped.damage(1)
    away(2)
    stepped.write(3, texts, { key: "k", op: "put", args: ["y"], w: 2 })
    stepped.runtime.advance(3_000)
    const { error } = ends(stepped.read(3, texts, strictRead))
    expect(error.message).toContain("incomplete: n1")
  })
})

describe("a listing", () => {
  it.each([1, 2])("does not count wiped n%i for whole where n3 is away", async (wiped) => {
    await start()
    away(wiped)
    expect(ends(stepped.write(3, texts, written)).answer._tag).toBe("Answer")
    away()
    crash(wiped)
    await stepped.restart(wiped, new MemoryDisk())
    away(3)
    expect(lists()).toMatchObject({
      _tag: "ListingIncomplete",
      reached: 0,
      unreachable: ["n3"],
      incomplete: [`n${wiped}`],
      message: expect.stringContaining(`; no answer from n3; incomplete: n${wiped}`)
    })
    expect(lists({ partial: true })).toMatchObject({ keys: ["k"], partial: true })
    away()
    expect(lists()).toEqual({ keys: ["k"], unreachable: [], refused: [] })
  })

  it("counts a restarted node whose questions are open", async () => {
    await start()
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
    away(3)
    crash(1)
    await stepped.restart(1)
    stepped.runtime.advance(1_000)
    expect(statusOf(1).completeness).toBe("unsure")
    expect(lists()).toEqual({ keys: ["k"], unreachable: ["n3"], refused: [] })
  })

  it("does not count a node with a damaged row, or with one that was mended", async () => {
    await start()
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
    stepped.damage(1)
    expect(lists()).toEqual({ keys: ["k"], unreachable: [], refused: [] })
    away(3)
    const lacking = { _tag: "ListingIncomplete", incomplete: ["n1"] }
    expect(lists()).toMatchObject(lacking)
    stepped.write(1, texts, { key: "k", op: "put", args: ["y"], w: 1 })
    expect(lists()).toMatchObject(lacking)
  })
})

describe("a strict write", () => {
  it("does not count a wiped node for pw; others count it for w and dw", async () => {
    await start()
    crash(1)
    await stepped.restart(1, new MemoryDisk())
    away(2)
    const { error } = ends(stepped.write(1, texts, written))
    expect(error).toMatchObject({ had: { w: 2, pw: 1, dw: 2 }, incomplete: ["n1"] })
    expect(ends(stepped.write(1, texts, { ...written, pw: 0 })).answer._tag).toBe("Answer")
  })
})

describe("the first start", () => {
  it("of one node forms at once, and is complete after any restart", async () => {
    await start({ nodes: 1 })
    const one = { w: 1, dw: 1, pw: 1 }
    expect(ends(stepped.write(1, texts, { ...written, ...one })).answer._tag).toBe("Answer")
    crash(1)
    await stepped.restart(1)
    expect(stepped.read(1, texts, { key: "k", r: 1, pr: 1 }).texts).toEqual(["x"])
  })

  it("of two of three nodes serves all but strict requests, until the third has come", async () => {
    await start({ started: [node(1), node(2)] })
    stepped.runtime.advance(10_000)
    expect([statusOf(1), statusOf(2)].map(({ own }) => own)).toEqual(["new", "new"])
    expect(ends(stepped.write(1, texts, written)).error).toBeInstanceOf(QuorumNotMet)
    expect(ends(stepped.read(2, texts, { key: "k", r: 2 })).texts).toEqual(["x"])
    await stepped.restart(3)
    stepped.runtime.advance(2_000)
    expect([1, 2, 3].map((number) => statusOf(number).completeness))
      .toEqual(["complete", "complete", "complete"])
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
  })

  it("of two of three nodes serves strict requests by an operator's word", async () => {
    await start({ started: [node(1), node(2)], forced: [node(1)] })
    stepped.runtime.advance(10_000)
    expect(ends(stepped.write(1, texts, written)).answer._tag).toBe("Answer")
    await stepped.restart(3)
    stepped.runtime.advance(2_000)
    expect([1, 2, 3].map((number) => statusOf(number).completeness))
      .toEqual(["complete", "complete", "incomplete"])
    away(2)
    expect(ends(stepped.read(3, texts, strictRead)).error).toBeInstanceOf(QuorumNotMet)
  })

  it("on directories from before there were certificates counts as formed", async () => {
    await start()
    for (const number of [1, 2, 3]) {
      crash(number)
      const { database } = stepped.nodes[number - 1]!.disk
      database.exec("DELETE FROM family_rows WHERE CAST(key AS TEXT) LIKE 'standing%'")
      database.exec("DELETE FROM family_rows WHERE CAST(key AS TEXT) = 'changes'")
    }
    for (const number of [1, 2]) await stepped.restart(number)
    stepped.runtime.advance(1_000)
    expect(statusOf(1)).toMatchObject({ formed: true, own: "named", completeness: "unsure" })
    await stepped.restart(3, new MemoryDisk())
    stepped.runtime.advance(1_000)
    expect([1, 2, 3].map((number) => statusOf(number).completeness))
      .toEqual(["complete", "complete", "incomplete"])
  })
})

describe("wiped nodes", () => {
  it.each([[[1]], [[1, 2]], [[1, 2, 3]]])("are incomplete, unless all are: %j", async (wiped) => {
    await start()
    stepped.write(1, texts, written)
    stepped.runtime.advance(1_000)
    for (const number of wiped) crash(number)
    for (const number of wiped) await stepped.restart(number, new MemoryDisk())
    stepped.runtime.advance(2_000)
    const all = wiped.length === 3
    for (const number of [1, 2, 3]) {
      const isComplete = all || !wiped.includes(number)
      expect(statusOf(number).completeness).toBe(isComplete ? "complete" : "incomplete")
    }
  })
})
