// Checks what a replica shows to readers while commits of a document are under way.
import { describe, expect, it } from "vitest"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import type { LocalRead } from "../../src/replica/LocalDocument.ts"
import { Bench, type BenchOptions, key } from "./bench.ts"

/** A read of the bench's document: the values that it was shown, once it was. */
const reading = (bench: Bench, after = VersionVector.empty) => {
  const shown: Array<LocalRead> = []
  bench.replica.show({ key, newest: bench.replica.read(key), after }, (local) => shown.push(local))
  return {
    get values(): ReadonlyArray<string> | undefined {
      const [local, ...rest] = shown
      if (local === undefined) return undefined
      if (rest.length > 0) throw new Error("shown twice")
      if (local._tag !== "Found") return [local._tag]
      const { store } = local.document
      return store?.kind === "values" ? store.siblings.map(({ value }) => JSON.parse(value)) : []
    }
  }
}

const options: BenchOptions = { limits: { groupChangesMax: 1 } }

describe("a read of a replica", () => {
  it("shows at once what no commit is under way for", () => {
    const bench = new Bench(options)
    expect(reading(bench).values).toEqual(["Absent"])
    bench.operate("put", ["x"])
    expect(reading(bench).values).toEqual(["x"])
    expect(bench.replica.stats()).toMatchObject({ readsDelayed: 0, readsWaiting: 0 })
  })

  it("waits for a commit that is under way", () => {
    const bench = new Bench(options)
    bench.begin([["put", "x"]])
    const read = reading(bench)
    expect(read.values).toBeUndefined()
    expect(bench.replica.stats()).toMatchObject({ readsDelayed: 1, readsWaiting: 1 })
    bench.runtime.runReady()
    expect(read.values).toEqual(["x"])
    expect(bench.replica.stats()).toMatchObject({ readsOfVersionBefore: 0, readsWaiting: 0 })
  })

  it("shows the version before where the commit takes too long", () => {
    const bench = new Bench(options)
    bench.operate("put", ["x"])
    const resume = bench.holdCommits()
    bench.begin([["put", "y"]])
    const read = reading(bench)
    bench.runtime.advance(99)
    expect(read.values).toBeUndefined()
    bench.runtime.advance(1)
    expect(read.values).toEqual(["x"])
    resume()
    bench.runtime.runReady()
    expect(reading(bench).values).toHaveLength(2)
    expect(bench.replica.stats()).toMatchObject({ readsOfVersionBefore: 1, readsWaiting: 0 })
  })

  it("waits as long as it takes for what its session has seen", () => {
    const bench = new Bench(options)
    const resume = bench.holdCommits()
    bench.begin([["put", "x"]])
    const read = reading(bench, bench.seen().vector)
    const other = reading(bench)
    bench.runtime.advance(60_000)
    expect([read.values, other.values]).toEqual([undefined, ["Absent"]])
    resume()
    bench.runtime.runReady()
    expect(read.values).toEqual(["x"])
  })

  it("shows the version before where the commit fails", () => {
    const bench = new Bench(options)
    bench.operate("put", ["x"])
    bench.failCommits()
    bench.begin([["put", "y"]])
    const reads = [reading(bench), reading(bench, bench.seen().vector)]
    bench.runtime.runReady()
    expect(reads.map(({ values }) => values)).toEqual([["x"], ["x"]])
    expect(reading(bench).values).toEqual(["x"])
  })

  it("waits no longer than for the version that was newest when it came", () => {
    const bench = new Bench(options)
    bench.begin([["put", "x"]])
    const read = reading(bench)
    bench.begin([["put", "y"]])
    bench.runtime.runReady()
    expect(read.values).toEqual(["x"])
    expect(reading(bench).values).toHaveLength(2)
  })

  it("shows at once what was acknowledged from memory, and not what came after it", () => {
    const bench = new Bench(options)
    bench.begin([["put", "x"]], { fromMemory: true })
    expect(reading(bench).values).toEqual(["x"])
    bench.begin([["put", "y"]])
    const read = reading(bench)
    expect(read.values).toBeUndefined()
    bench.runtime.runReady()
    expect(read.values).toHaveLength(2)
  })

  it("shows no longer what was acknowledged from memory and failed to commit", () => {
    const bench = new Bench(options)
    bench.operate("put", ["x"])
    bench.failCommits()
    bench.begin([["put", "y"]], { fromMemory: true })
    bench.begin([["put", "z"]])
    const read = reading(bench)
    bench.runtime.runReady()
    expect(read.values).toEqual(["x"])
    expect(reading(bench).values).toEqual(["x"])
  })

  it("does not wait where too many do", () => {
    const bench = new Bench({ ...options, shownWaitsMax: 1 })
    bench.begin([["put", "x"]])
    const [first, second] = [reading(bench), reading(bench)]
    expect([first.values, second.values]).toEqual([undefined, ["Absent"]])
    bench.runtime.runReady()
    expect(first.values).toEqual(["x"])
  })

  it("of what a new commit brings after a failed one waits for the new one", () => {
    const bench = new Bench(options)
    const mend = bench.failCommits()
    const after: Array<ReturnType<typeof reading>> = []
    bench.replica.update(bench.put("x"), () => {
      mend()
      bench.begin([["put", "y"]])
      after.push(reading(bench))
    })
    bench.begin([["put", "z"]])
    bench.runtime.runReady()
    expect(after.map(({ values }) => values)).toEqual([["y"]])
    bench.crash()
    expect(reading(bench).values).toEqual(["y"])
  })
})

describe("a node that a session reminds of its own dots", () => {
  it("begins another incarnation where its disk has lost them", () => {
    const bench = new Bench(options)
    bench.operate("put", ["x"])
    const { vector } = bench.seen()
    const incarnation = bench.replica.incarnation()
    reading(bench, vector)
    expect(bench.replica.incarnation()).toBe(incarnation)
    bench.disk.database.exec("DELETE FROM documents")
    expect(reading(bench, vector).values).toEqual(["Absent"])
    expect(bench.replica.incarnation()).not.toBe(incarnation)
  })

  it("does not where a commit of them is under way, or the row is damaged", () => {
    const bench = new Bench(options)
    bench.begin([["put", "x"]])
    const { vector } = bench.seen()
    const incarnation = bench.replica.incarnation()
    reading(bench, vector)
    bench.runtime.runReady()
    bench.damage()
    expect(reading(bench, vector).values).toEqual(["Damaged"])
    expect(bench.replica.incarnation()).toBe(incarnation)
  })
})
