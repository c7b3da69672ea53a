// The hashes of versions that a replica keeps in memory: always those of its rows.
import * as fc from "fast-check"
import { describe, expect, it, vi } from "vitest"
import type { HashKey } from "../../src/core/anti-entropy/VersionHash.ts"
import type { RowKey } from "../../src/core/model/RowKey.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { VersionIndex } from "../../src/replica/VersionIndex.ts"
import { ScanFailed } from "../../src/storage/Storage.ts"
import { Bench } from "./bench.ts"

const hashKey: HashKey = [1, 2]
const partitionCount = 4
const versions = {
  versionRowsMax: 2,
  versionPauseMillis: 1,
  scrubMillis: 400,
  diskRetryMillis: 1_000
}
const all = () => true

const keyOf = (number: number): RowKey => ({
  partition: number % partitionCount,
  bucket: number % 3 === 0 ? "carts" : "things",
  partitionKey: `sk${number}`,
  sortKey: ""
})

const sumsOf = (index: VersionIndex) =>
  Array.from({ length: partitionCount }, (_, partition) => ({
    isWhole: index.isWhole(partition),
    sum: index.sum(partition, all)
  }))

const begun = (bench: Bench): Bench => {
  bench.replica.versions.start(partitionCount, hashKey)
  return bench
}

/** The sums of the hashes as a process makes them that starts now. */
const anew = (bench: Bench) => {
  const limits = { ...versions, versionRowsMax: 1_000 }
  const index = new VersionIndex({ runtime: bench.runtime, storage: bench.storage, limits })
  index.start(partitionCount, hashKey)
  bench.runtime.advance(10)
  const sums = sumsOf(index)
  index.close()
  return sums
}

type Step =
  | { readonly kind: "put" | "join" | "fail"; readonly key: number }
  | { readonly kind: "crash" | "pass" | "damage" | "again" }

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant("put" as const), key: fc.nat(9) }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant("join" as const), key: fc.nat(9) }), weight: 2 },
  fc.record({ kind: fc.constant("fail" as const), key: fc.nat(9) }),
  fc.record({ kind: fc.constantFrom("crash" as const, "pass", "damage", "again") })
)

const take = (bench: Bench, other: Bench, drawn: Step): void => {
  switch (drawn.kind) {
    case "put":
      bench.operate("put", ["mine"], { key: keyOf(drawn.key) })
      return
    case "join":
      other.operate("put", ["theirs"], { key: keyOf(drawn.key) })
      bench.join(other.document(keyOf(drawn.key)), keyOf(drawn.key))
      return
    case "fail": {
      const mend = bench.failCommits()
      bench.begin([["put", "lost"]], { key: keyOf(drawn.key) })
      bench.runtime.runReady()
      mend()
      return
    }
    case "crash":
      bench.crash()
      begun(bench)
      return
    case "pass":
      bench.runtime.advance(3)
      return
    case "damage":
      bench.damage("partition = 1")
      return
    case "again":
      bench.replica.beginAgain()
  }
}

describe("the hashes of a replica's versions", () => {
  it("are those of its rows, whatever becomes of writes, rows and the process", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.boolean(), (steps, hasCache) => {
        const bench = begun(new Bench({ versions, cacheBytesMax: hasCache ? 100_000 : 0 }))
        const other = new Bench({ node: "n2" })
        for (const drawn of steps) take(bench, other, drawn)
        // Twice the time in which all rows are read once.
        bench.runtime.advance(900)
        expect(sumsOf(bench.replica.versions)).toEqual(anew(bench))
      }),
      { numRuns: 20 }
    )
  })

  it("change at once with an accepted write, once its partition has been read", () => {
    const bench = begun(new Bench({ versions }))
    bench.runtime.advance(20)
    const { versions: index } = bench.replica
    expect(index.isWhole(1)).toBe(true)
    const before = index.sum(1, all)
    bench.begin([["put", "x"]], { key: keyOf(1) })
    expect(index.sum(1, all)).not.toEqual(before)
    expect(index.sum(1, (bucket) => bucket !== "things")).toEqual(before)
  })

  it("tell of a row that the disk lost, and the document is written again from memory", () => {
    const bench = begun(new Bench({ versions, cacheBytesMax: 100_000 }))
    bench.operate("put", ["kept"], { key: keyOf(1) })
    bench.operate("put", ["kept"], { key: keyOf(2) })
    bench.runtime.advance(20)
    bench.disk.database.exec("DELETE FROM documents WHERE partition = 1")
    bench.damage("partition = 2")
    bench.runtime.advance(900)
    bench.crash()
    expect(bench.replica.read(keyOf(1))._tag).toBe("Found")
    expect(bench.replica.read(keyOf(2))._tag).toBe("Found")
  })

  it("are made of the other partitions while the disk cannot tell the rows of one", () => {
    const bench = new Bench({ versions: { ...versions, scrubMillis: 4 * 3_600_000 } })
    for (let i = 0; i < 8; i++) bench.operate("put", ["x"], { key: keyOf(i) })
    const scanned = bench.storage.scan
    const scan = vi.spyOn(bench.storage, "scan").mockImplementation((asked) => {
      if (asked.partition === 1) throw new ScanFailed("injected")
      return scanned(asked)
    })
    const { versions: index } = begun(bench).replica
    const whole = () => [0, 1, 2, 3].filter((partition) => index.isWhole(partition))
    const tries = () => scan.mock.calls.filter(([asked]) => asked.partition === 1).length
    bench.runtime.advance(500)
    expect(whole()).toEqual([0, 2, 3])
    expect(tries()).toBe(1)
    bench.runtime.advance(60_000)
    // After 1, 3, 7, 15 and 31 seconds.
    expect(tries()).toBe(6)
    scan.mockRestore()
    bench.runtime.advance(10_000)
    expect(whole()).toEqual([0, 1, 2, 3])
    expect(sumsOf(index)).toEqual(anew(bench))
  })

  it("are compared with the rows of all other partitions where one cannot be read again", () => {
    const bench = begun(new Bench({ versions }))
    for (let i = 0; i < 8; i++) bench.operate("put", ["x"], { key: keyOf(i) })
    bench.runtime.advance(20)
    const scanned = bench.storage.scan
    vi.spyOn(bench.storage, "scan").mockImplementation((asked) => {
      if (asked.partition === 1) throw new ScanFailed("injected")
      return scanned(asked)
    })
    const { versions: index } = bench.replica
    const before = index.stats().scrubbed
    bench.runtime.advance(800)
    // Twice each of three of four partitions, and one in each eighth of this time.
    expect(index.stats().scrubbed - before).toBe(6)
  })

  it("are not there before they are begun, and cost nothing", () => {
    const bench = new Bench()
    bench.operate("put", ["x"], { key: keyOf(1) })
    bench.runtime.advance(1_000)
    expect(bench.replica.versions.stats()).toMatchObject({ versions: 0, whole: 0 })
    expect(lan.node.exchangeMillis).toBeGreaterThan(0)
  })
})
