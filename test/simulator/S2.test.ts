/**
 * Cuts the power of a real SQLite under the product's own tables and commits, and shows that the
 * suite notices where a commit is not synced.
 */
import { describe, expect, it } from "vitest"
import { type PowerCutOptions, PowerCuts } from "./s2/PowerCuts.ts"

const numbers = (first: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => first + index)

const runs = (seeds: ReadonlyArray<number>, planted: Omit<PowerCutOptions, "seed"> = {}) =>
  seeds.map((seed) => {
    const cuts = new PowerCuts({ seed, ...planted })
    return { seed, cuts, loss: cuts.run() }
  })

const losses = (some: ReturnType<typeof runs>) =>
  some.filter(({ loss }) => loss !== undefined).map(({ loss, seed }) => `seed ${seed}: ${loss}`)

const asShipped = runs(numbers(1, 40))

const sum = (count: (cuts: PowerCuts) => number) =>
  asShipped.reduce((total, { cuts }) => total + count(cuts), 0)

describe("a power cut", () => {
  it("loses nothing acknowledged and tears no group, as nodes are set", () => {
    expect(losses(asShipped)).toEqual([])
  })

  it("loses nothing under seeds that never ran before", () => {
    expect(losses(runs(numbers(Math.floor(Math.random() * 1e9), 40)))).toEqual([])
  })

  it("loses acknowledged groups where their sync is left to checkpoints", () => {
    expect(losses(runs(numbers(1, 20), { synchronous: "NORMAL" })).length).toBeGreaterThanOrEqual(
      14
    )
  })

  it("loses acknowledged groups where the log does not sync its records", () => {
    expect(losses(runs(numbers(1, 20), { isLogUnsynced: true })).length).toBeGreaterThanOrEqual(10)
  })

  it("ruins files where nothing is synced", () => {
    expect(losses(runs(numbers(1, 20), { synchronous: "OFF" })).length).toBeGreaterThanOrEqual(18)
  })
})

describe("the runs", () => {
  it("repeat to the last byte after any other runs", () => {
    const print = ({ cuts }: (typeof asShipped)[number]) =>
      `${cuts.fingerprint} ${JSON.stringify([cuts.counts, cuts.disk.counts])}`
    const prints = asShipped.slice(0, 5).map(print)
    expect(runs(numbers(1, 5).toReversed()).map(print).toReversed()).toEqual(prints)
    expect(new Set(prints).size).toBe(5)
  })

  it("meet commits, openings and closings, and find interrupted groups whole or not at all", () => {
    expect(sum(({ counts }) => counts.acknowledged)).toBeGreaterThan(300)
    expect(sum(({ counts }) => counts.opens)).toBeGreaterThan(0)
    expect(sum(({ counts }) => counts.closes)).toBeGreaterThan(0)
    expect(sum(({ counts }) => counts.interruptedFound)).toBeGreaterThan(0)
    expect(sum(({ counts }) => counts.interrupted - counts.interruptedFound)).toBeGreaterThan(0)
    for (const fate of ["kept", "dropped", "torn"] as const) {
      expect(sum(({ disk }) => disk.counts[fate])).toBeGreaterThan(100)
    }
  })
})
