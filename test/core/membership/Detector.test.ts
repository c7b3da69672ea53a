// Dead nodes are soon believed down, and slow ones refute what is said of them.
import { describe, expect, it } from "vitest"
import * as Suspicion from "../../../src/core/membership/Suspicion.ts"
import type { NodeId } from "../../../src/core/model/Names.ts"
import { generator } from "../quorum/Exploration.ts"
import { DetectorModel } from "./DetectorModel.ts"

const random = (seed: number) => {
  const pick = generator(seed)
  return () => pick(2 ** 30) / 2 ** 30
}

const seeds = Array.from({ length: 20 }, (_, seed) => seed)

/** All that nodes believe of one. */
const beliefsOf = (model: DetectorModel, of: NodeId) =>
  model.nodes.filter((node) => node !== of && !model.stopped.has(node))
    .map((node) => model.belief(node, of))

const isEverybodyUp = (model: DetectorModel): boolean =>
  model.nodes.every((of) => beliefsOf(model, of).every((belief) => belief === "up"))

describe.each([2, 3, 5, 9])("of %i nodes", (size) => {
  it("one that dies is believed down by all others within 3 s", () => {
    for (const seed of seeds) {
      const model = new DetectorModel(size, random(seed))
      model.pass(5_000 + 37 * seed)
      const dead = model.nodes[seed % size]!
      model.stopped.add(dead)
      model.pass(3_000)
      expect(new Set(beliefsOf(model, dead)), `seed ${seed}`).toEqual(new Set(["down"]))
    }
  })

  it("one that stands still for half a second is never believed down", () => {
    for (const seed of seeds) {
      const model = new DetectorModel(size, random(seed))
      model.pass(5_000 + 37 * seed)
      const slow = model.nodes[seed % size]!
      model.stopped.add(slow)
      model.pass(500)
      model.stopped.delete(slow)
      for (let i = 0; i < 100; i++) {
        model.pass(50)
        for (const of of model.nodes) expect(beliefsOf(model, of)).not.toContain("down")
      }
      expect(isEverybodyUp(model)).toBe(true)
    }
  })

  it("one that stands still for ten seconds is believed up again when it goes on", () => {
    for (const seed of seeds) {
      const model = new DetectorModel(size, random(seed))
      const slow = model.nodes[seed % size]!
      model.stopped.add(slow)
      model.pass(10_000)
      expect(new Set(beliefsOf(model, slow))).toEqual(new Set(["down"]))
      model.stopped.delete(slow)
      model.pass(6_000)
      expect(isEverybodyUp(model), `seed ${seed}`).toBe(true)
    }
  })

  it("none is believed down for long though a tenth of all messages is lost", () => {
    for (const seed of seeds) {
      const draw = random(seed)
      const model = new DetectorModel(size, draw)
      model.cuts = () => draw() < 0.1
      model.pass(20_000)
      model.cuts = () => false
      model.pass(15_000)
      expect(isEverybodyUp(model), `seed ${seed}`).toBe(true)
    }
  })
})

it("two nodes whose link is cut believe each other up through a third one", () => {
  for (const seed of seeds) {
    const model = new DetectorModel(3, random(seed))
    const [n1, n2] = model.nodes
    model.cuts = (from, to) => (from === n1 && to === n2) || (from === n2 && to === n1)
    for (let i = 0; i < 200; i++) {
      model.pass(100)
      expect(model.belief(n1!, n2!)).toBe("up")
      expect(model.belief(n2!, n1!)).toBe("up")
    }
  }
})

it("a node that stood still does not suspect the others for it", () => {
  for (const seed of seeds) {
    const model = new DetectorModel(5, random(seed))
    model.pass(5_000 + 37 * seed)
    const slow = model.nodes[0]!
    model.stopped.add(slow)
    model.pass(2_000)
    model.stopped.delete(slow)
    for (let i = 0; i < 20; i++) {
      model.pass(50)
      const suspects = model.nodes.filter((of) => of !== slow && model.belief(slow, of) !== "up")
      expect(suspects).toEqual([])
    }
  }
})

it("a suspicion that more nodes share lasts shorter, within its bounds", () => {
  const limits = { suspicionMinMillis: 1_000, suspicionMaxMillis: 3_000 }
  for (const others of [1, 2, 4, 100]) {
    const times = Array.from(
      { length: others },
      (_, i) => Suspicion.millis({ accusers: i + 1, others }, limits)
    )
    expect(times.toSorted((a, b) => b - a)).toEqual(times)
    expect(times.at(-1)).toBe(limits.suspicionMinMillis)
    expect(times[0]).toBeLessThanOrEqual(limits.suspicionMaxMillis)
  }
})
