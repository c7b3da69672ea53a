// Checks that an actor's entry is a function of its last update and of the last one removed, and
// that the join takes the greater of each: a product of two chains.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as CounterTotal from "../../../src/core/crdt/CounterTotal.ts"
import type { CounterUpdate, PerActorTotal } from "../../../src/core/crdt/DotStore.ts"

/** An actor that adds, and gets to know of removals, in turn. */
interface Life {
  readonly updatesMax: number
  /** All its updates, the sum of none at first. */
  readonly updates: ReadonlyArray<CounterUpdate>
  /** Its entry right after each of them; of none at first. */
  readonly entries: ReadonlyArray<PerActorTotal>
}

const step = fc.record({
  gap: fc.integer({ min: 1, max: 3 }),
  amount: fc.integer(),
  /** How many of the updates until then a removal has taken that arrives now; none for most. */
  removal: fc.option(fc.nat(1000), { freq: 5 })
})

const lives: fc.Arbitrary<Life> = fc.tuple(
  fc.constantFrom(1, 2, 5, 16),
  fc.array(step, { minLength: 1, maxLength: 50, size: "max" })
).map(([updatesMax, steps]) => {
  const updates: Array<CounterUpdate> = [{ counter: 0, sum: 0 }]
  const entries = [CounterTotal.none]
  for (const { amount, gap, removal } of steps) {
    const { counter, sum } = updates.at(-1)!
    const before = withRemoval(entries.at(-1)!, updates[(removal ?? 0) % updates.length]!)
    updates.push({ counter: counter + gap, sum: Number(sum) + amount })
    entries.push(CounterTotal.updated(before, { counter: counter + gap, amount, updatesMax }))
  }
  return { updatesMax, updates, entries }
})

const withRemoval = (total: PerActorTotal, update: CounterUpdate): PerActorTotal =>
  update.counter === 0 ? total : CounterTotal.join(total, CounterTotal.removedUpTo(update))

/** A replica's entry: after the first updates of the actor, and a removal of some of them. */
const entry = ({ entries, updates }: Life, [made, removed]: Choice): PerActorTotal => {
  const at = 1 + (made % (entries.length - 1))
  return withRemoval(entries[at]!, updates[removed % (at + 1)]!)
}

type Choice = readonly [made: number, removed: number]
const choice: fc.Arbitrary<Choice> = fc.tuple(fc.nat(1000), fc.nat(1000))

describe("the entry of one actor", () => {
  it("joins to that of the later update and the later removal", () => {
    fc.assert(fc.property(lives, choice, choice, (life, one, other) => {
      const [left, right] = [entry(life, one), entry(life, other)]
      const made = Math.max(CounterTotal.last(left).counter, CounterTotal.last(right).counter)
      const removed = left.removed.counter > right.removed.counter ? left.removed : right.removed
      const { isCut, updates } = life.entries.find((total) =>
        CounterTotal.last(total).counter === made
      )!
      const kept = updates.filter(({ counter }) => counter > removed.counter)
      const joined = CounterTotal.join(left, right)
      expect(joined).toEqual({
        removed,
        updates: kept,
        isCut: isCut && kept.length === updates.length
      })
      expect(CounterTotal.join(right, left)).toEqual(joined)
      expect(CounterTotal.join(joined, right)).toBe(joined)
      expect(CounterTotal.join(joined, left)).toBe(joined)
      if (made === CounterTotal.last(left).counter && removed.counter === left.removed.counter) {
        expect(CounterTotal.join(left, right)).toBe(left)
      }
    }))
  })

  it("keeps the last updates that were not removed, and says where some are missing", () => {
    fc.assert(fc.property(lives, choice, (life, chosen) => {
      const total = entry(life, chosen)
      const { counter, sum } = CounterTotal.last(total)
      const present = life.updates.filter((update) =>
        update.counter > total.removed.counter && update.counter <= counter
      )
      expect(total.updates).toEqual(present.slice(present.length - total.updates.length))
      expect(total.updates.length).toBeLessThanOrEqual(life.updatesMax)
      if (!total.isCut) expect(total.updates).toEqual(present)
      expect(CounterTotal.left(total)).toBe(Number(sum) - Number(total.removed.sum))
    }))
  })

  it("loses what a removal had seen of it, or says that this is not known any more", () => {
    fc.assert(fc.property(lives, choice, fc.nat(1000), (life, chosen, choice) => {
      const total = entry(life, chosen)
      const { counter: made } = CounterTotal.last(total)
      const seen = choice % (made + 1)
      const last = life.updates.findLast(({ counter }) => counter <= seen)!
      const taken = CounterTotal.taken(total, seen)
      if (taken !== "too-old") {
        expect(taken).toEqual(last.counter > total.removed.counter ? last : undefined)
        return
      }
      const unseen = life.updates.filter(({ counter }) => counter > seen && counter <= made)
      expect(unseen.length).toBeGreaterThanOrEqual(life.updatesMax)
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
