/**
 * Runs whole clusters whose nodes keep their data in real SQLite files, and cuts their power.
 */
import { afterEach, describe, expect, it, vi } from "vitest"
import { checkAll } from "../../src/testing/simulator/Checkers.ts"
import { drawPlan } from "../../src/testing/simulator/DrawPlan.ts"
import { faultClasses } from "../../src/testing/simulator/Faults.ts"
import { run } from "../../src/testing/simulator/Run.ts"
import { TornFile } from "./s2/TornDisk.ts"
import { TornSqliteDisk } from "./s2/TornSqliteDisk.ts"

const ends = ["crash", "power loss", "stop", "fast restart", "wipe"]
const faults = faultClasses.filter(({ name }) => ends.includes(name))

/** Runs a seed on SQLite; each crash of a node is a power cut. */
const runOnSqlite = (seed: number) => {
  const disks: Array<TornSqliteDisk> = []
  try {
    const result = run(drawPlan(seed, { faults }), {
      disk: (options) => {
        const disk = new TornSqliteDisk(options)
        disks.push(disk)
        return disk
      }
    })
    const crashes = disks.reduce((sum, { counts }) => sum + counts.crashesWithWaiting, 0)
    return { ...result, crashes }
  } finally {
    for (const disk of disks) disk.close()
  }
}

afterEach(() => void vi.restoreAllMocks())

describe("a cluster on real databases", () => {
  it("keeps every promise while its nodes lose power", () => {
    let crashes = 0
    for (let seed = 1; seed <= 8; seed++) {
      const result = runOnSqlite(seed)
      expect(checkAll(result.record), `seed ${seed}`).toEqual([])
      crashes += result.crashes
    }
    expect(crashes).toBeGreaterThan(0)
  })

  it("runs alike whenever the seed is the same, to the last byte of its files", () => {
    expect(runOnSqlite(1).hash).toBe(runOnSqlite(1).hash)
  })

  it("is caught where its disks do not sync", () => {
    vi.spyOn(TornFile.prototype, "sync").mockImplementation(() => {})
    const seeds = Array.from({ length: 8 }, (_, index) => index + 1)
    const caught = seeds.filter((seed) => {
      try {
        runOnSqlite(seed)
        return false
      } catch (error) {
        return /after a power cut|malformed|not a database/.test(String(error))
      }
    })
    expect(caught.length).toBeGreaterThan(3)
  })
})
