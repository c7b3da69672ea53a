// Checks that an actor's entry is a function of its last update and of the last one removed, and
// that the join takes the greater of each: a product of two chains.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as CounterTotal from "../../../src/core/crdt/CounterTotal.ts"
import type { CounterUpdate, PerActorTotal } from "../../../src/core/crdt/DotStore.ts"

/** All updates of an actor, the sum of none at first. */
const histories = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer()), {
  minLength: 1,
  maxLength: 50,
  size: "max"
}).map((steps) => {
  const updates: Array<CounterUpdate> = [{ counter: 0, sum: 0 }]
  for (const [gap, amount] of steps) {
    const { counter, sum } = updates.at(-1)!
    updates.push({ counter: counter + gap, sum: Number(sum) + amount })
  }
  return updates
})

const place = fc.nat(1000)

/** The entry after the first `made` updates, of which the first `removed` are removed. */
const entry = (
  updates: ReadonlyArray<CounterUpdate>,
  made: number,
  removed: number
): PerActorTotal => {
  const kept = updates.slice(Math.max(removed, made - 16) + 1, made + 1)
  return { removed: updates[removed]!, updates: kept, isCut: kept.length === 16 }
}

interface Choice {
  readonly made: number
  readonly removed: number
}

const choose = (updates: ReadonlyArray<CounterUpdate>, made: number, removed: number): Choice => {
  const last = 1 + (made % (updates.length - 1))
  return { made: last, removed: removed % (last + 1) }
}

const chosen = fc.tuple(histories, place, place, place, place).map(([updates, a, b, c, d]) => ({
  updates,
  one: choose(updates, a, b),
  other: choose(updates, c, d)
}))

describe("the entry of one actor", () => {
  it("joins to that of the later update and the later removal", () => {
    fc.assert(fc.property(chosen, ({ one, other, updates }) => {
      const [left, right] = [one, other].map(({ made, removed }) => entry(updates, made, removed))
      const joined = CounterTotal.join(left!, right!)
      const made = Math.max(one.made, other.made)
      const removed = Math.max(one.removed, other.removed)
      expect(joined).toEqual(entry(updates, made, removed))
      expect(CounterTotal.join(right!, left!)).toEqual(joined)
      expect(CounterTotal.join(joined, right!)).toBe(joined)
      if (made === one.made && removed === one.removed) expect(joined).toBe(left)
    }))
  })

  it("is made by its updates one by one, whenever a removal arrives", () => {
    fc.assert(fc.property(chosen, ({ one: { made, removed }, other, updates }) => {
      const arrival = Math.max(removed, Math.min(made, other.made))
      let total = CounterTotal.none
      updates.forEach((update, i) => {
        if (i > made) return
        if (i > 0) {
          const amount = Number(update.sum) - Number(updates[i - 1]!.sum)
          total = CounterTotal.updated(total, update.counter, amount)
        }
        const removal = CounterTotal.removedUpTo(updates[removed]!)
        if (i === arrival && removed > 0) total = CounterTotal.join(total, removal)
      })
      expect(total).toEqual(entry(updates, made, removed))
      expect(CounterTotal.left(total)).toBe(
        Number(updates[made]!.sum) - Number(updates[removed]!.sum)
      )
    }))
  })

  it("loses exactly what a removal had seen of it, or says that this is not known any more", () => {
    fc.assert(fc.property(chosen, place, ({ one: { made, removed }, updates }, choice) => {
      const seen = choice % (updates[made]!.counter + 1)
      const last = updates.findLast(({ counter }) => counter <= seen)!
      const expected = last.counter > updates[removed]!.counter ? last : undefined
      const taken = CounterTotal.taken(entry(updates, made, removed), seen)
      if (taken !== "too-old") {
        expect(taken).toEqual(expected)
        return
      }
      const unseen = updates.filter(({ counter }, i) => counter > seen && i <= made && i > removed)
      expect(unseen.length).toBeGreaterThanOrEqual(16)
    }))
  })

  it("never says so of a removal that has missed 15 of its updates", () => {
    fc.assert(fc.property(chosen, place, ({ one: { made, removed }, updates }, choice) => {
      const missed = choice % Math.min(16, made)
      const seen = updates[made - missed]!
      const taken = CounterTotal.taken(entry(updates, made, removed), seen.counter)
      expect(taken).toEqual(made - missed > removed ? seen : undefined)
    }))
  })
})

describe("an entry from before updates were kept", () => {
  const former = { removed: { counter: 2, sum: 5 }, updates: [{ counter: 9, sum: 7 }], isCut: true }

  it("can be removed as a whole, and by a removal that had seen less not at all", () => {
    expect(CounterTotal.taken(former, 9)).toEqual({ counter: 9, sum: 7 })
    expect(CounterTotal.taken(former, 8)).toBe("too-old")
    expect(CounterTotal.taken(former, 2)).toBeUndefined()
  })

  it("stays one when it joins an earlier state, and ends when it is removed", () => {
    const earlier = { removed: { counter: 4, sum: 6 }, updates: [], isCut: false }
    const joined = { ...former, removed: earlier.removed }
    expect(CounterTotal.join(earlier, former)).toEqual(joined)
    const removed = CounterTotal.removedUpTo({ counter: 9, sum: 7 })
    expect(CounterTotal.join(joined, removed)).toEqual(removed)
  })
})
