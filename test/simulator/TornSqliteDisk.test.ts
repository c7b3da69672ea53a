/**
 * Runs whole clusters whose nodes keep their data in real SQLite files, and cuts their power.
 */
import { afterEach, describe, expect, it, vi } from "vitest"
import { checkAll } from "../../src/testing/simulator/Checkers.ts"
import { drawPlan } from "../../src/testing/simulator/DrawPlan.ts"
import type { FaultClass } from "../../src/testing/simulator/FaultClass.ts"
import { faultClasses } from "../../src/testing/simulator/Faults.ts"
import type { RunOptions } from "../../src/testing/simulator/Run.ts"
import { runPlan } from "./judged.ts"
import { TornFile } from "./s2/TornDisk.ts"
import { TornSqliteDisk } from "./s2/TornSqliteDisk.ts"
import { Tally } from "./Tally.ts"

const ends = ["crash", "power loss", "stop", "fast restart"]
const endsOnly = { faults: faultClasses.filter(({ name }) => ends.includes(name)) }

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

const unsynced: RunOptions["disk"] = (options) =>
  new TornSqliteDisk({ ...options, synchronous: "NORMAL" })

interface Options {
  readonly draw?: { readonly faults: ReadonlyArray<FaultClass> }
  readonly run?: RunOptions
}

const runOnSqlite = (seed: number, { draw, run }: Options = {}) =>
  runPlan({ ...drawPlan(seed, draw), disk: "sqlite" }, run)

afterEach(() => void vi.restoreAllMocks())

describe("a cluster on real databases", { timeout: 300_000 }, () => {
  it("keeps every promise under all faults, each of which meets it", () => {
    const tally = new Tally()
    for (const seed of numbers(20)) {
      const { record, summary } = runOnSqlite(seed)
      expect(checkAll(record), `seed ${seed}`).toEqual([])
      tally.add(summary)
    }
    const met = tally.names("faults")
    for (const { name } of faultClasses) expect(met).toContain(name)
    const did = tally.names("disks")
    for (const count of ["failures", "crashesWithWaiting", "groupsLost", "doubtfulFound", "torn"]) {
      expect(did).toContain(`sqlite: ${count}`)
    }
  })

  it("runs alike whenever the seed is the same, to the last byte of its files", () => {
    const first = numbers(4).map((seed) => runOnSqlite(seed).hash)
    expect(numbers(4).toReversed().map((seed) => runOnSqlite(seed).hash).toReversed())
      .toEqual(first)
  })

  it("is caught by the checkers where its commits are not synced", () => {
    const caught = numbers(10).filter((seed) => {
      const { record } = runOnSqlite(seed, { draw: endsOnly, run: { disk: unsynced } })
      return checkAll(record).some(({ problem }) =>
        problem.includes("was acknowledged and is lost")
      )
    })
    expect(caught.length).toBeGreaterThanOrEqual(3)
  })

  it("is caught by its disks where nothing is synced", () => {
    vi.spyOn(TornFile.prototype, "sync").mockImplementation(() => {})
    const caught = numbers(8).filter((seed) => {
      try {
        runOnSqlite(seed, { draw: endsOnly })
        return false
      } catch (error) {
        return /after a power cut|malformed|not a database/.test(String(error))
      }
    })
    expect(caught.length).toBeGreaterThan(3)
  })
})

describe("a plan", () => {
  it("asks for real databases under about one seed in twenty", () => {
    const seeds = numbers(1_000).filter((seed) => drawPlan(seed).disk === "sqlite")
    expect(seeds.length).toBeGreaterThan(30)
    expect(seeds.length).toBeLessThan(70)
  })
})
