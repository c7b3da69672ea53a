// Checks that the memory of recent changes gives those of a document in their order, within bounds.
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { RecentEdits } from "../../src/replica/RecentEdits.ts"
import { key } from "./bench.ts"

const keyOf = (name: number) => ({ ...key, partitionKey: `s${name}` })

const added = fc.array(fc.record({ name: fc.nat(2), length: fc.integer({ min: 1, max: 20 }) }), {
  maxLength: 40
})
const bounds = fc.record({
  recentEditsMax: fc.integer({ min: 1, max: 10 }),
  recentEditsBytesMax: fc.integer({ min: 1, max: 100 })
})

const most = { bytesMax: 1_000, count: 1_000 }

it("the newest changes are kept, as many as fit, and given in the order of each document", () => {
  fc.assert(
    fc.property(added, bounds, fc.nat(60), fc.nat(5), (all, limits, bytesMax, count) => {
      const recent = new RecentEdits(limits)
      const model: Array<{ readonly name: number; readonly bytes: Uint8Array }> = []
      let forgotten = 0
      for (const { length, name } of all) {
        const bytes = new Uint8Array(length)
        recent.add(keyOf(name), bytes)
        model.push({ name, bytes })
        const size = () => model.reduce((sum, kept) => sum + kept.bytes.length, 0)
        while (model.length > limits.recentEditsMax || size() > limits.recentEditsBytesMax) {
          model.shift()
          forgotten++
        }
        expect(recent.stats()).toEqual({
          recentEdits: model.length,
          recentEditBytes: size(),
          recentEditsForgotten: forgotten
        })
        for (const kept of model) {
          const ofDocument = model.filter((other) => other.name === kept.name)
          const before = ofDocument.slice(0, ofDocument.indexOf(kept)).map((other) => other.bytes)
          const isMore = () => before.reduce((sum, { length }) => sum + length, 0) > bytesMax
          while (isMore() || before.length > count) before.shift()
          const given = recent.before(keyOf(kept.name), kept.bytes, { bytesMax, count })
          expect(given.length).toBe(before.length)
          expect(given.every((bytes, i) => bytes === before[i])).toBe(true)
        }
        const newest = model.filter((other) => other.name === name).map((other) => other.bytes)
        const given = recent.before(keyOf(name), new Uint8Array(1), most)
        expect(given.length).toBe(newest.length)
        expect(given.every((bytes, i) => bytes === newest[i])).toBe(true)
      }
      recent.clear()
      expect(recent.stats()).toMatchObject({ recentEdits: 0, recentEditBytes: 0 })
      expect(recent.before(keyOf(0), new Uint8Array(1), most)).toEqual([])
    })
  )
})
