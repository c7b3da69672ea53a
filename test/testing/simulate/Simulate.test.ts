/**
 * Shows that `simulate` passes buckets that keep their promises, finds those that do not, and
 * repeats what it found.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as ShoppingCart from "../../../plugins/shoppingCart.ts"
import { Cart } from "../../../schemas/Cart.ts"
import * as Bucket from "../../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../../src/core/strategy/Crdt.ts"
import * as Key from "../../../src/core/strategy/Key.ts"
import {
  type Done,
  type SeededRandom,
  simulate,
  type SimulationFailed
} from "../../../src/testing/index.ts"
import { faultKinds, kinds } from "../../../src/testing/simulate/FaultKinds.ts"
import { faultClasses } from "../../../src/testing/simulator/Faults.ts"
import { everyKind } from "../laws/lawBuckets.ts"

const key = Key.text
const Wishes = Schema.Array(Schema.String)
type Wishes = typeof Wishes.Type

const wishBucket = (merge: (left: Wishes, right: Wishes) => Wishes) =>
  Bucket.merge("wishes", { key, value: Wishes, merge })

const union = (left: Wishes, right: Wishes): Wishes => [...new Set([...left, ...right])].sort()

const wishes = wishBucket(union)
const lastWishes = Bucket.lww("last-wishes", { key, value: Wishes })
const carts = Bucket.merge("carts", { key, value: Cart, merge: ShoppingCart.merge })
const visits = Bucket.crdt("visits", { key, type: Crdt.counter })

/** Customers who wish for something new each time, and an application that expects to see it. */
const wishing = {
  operations: {
    wish: (random: SeededRandom) => {
      const wish = random.id()
      return { input: wish, change: (current: Wishes = []) => union(current, [wish]) }
    }
  },
  invariant: (
    current: Wishes = [],
    { acknowledged }: { readonly acknowledged: ReadonlyArray<{ readonly input: string }> }
  ) => {
    const lost = acknowledged.find(({ input }) => !current.includes(input))
    return lost === undefined ? undefined : `${lost.input} is lost`
  }
}

const failure = (simulated: ReturnType<typeof simulate>): Promise<SimulationFailed> =>
  Effect.runPromise(Effect.flip(simulated)).then((error) => {
    if (error._tag !== "SimulationFailed") throw error
    return error
  })

const refusal = (options: object): Promise<string> =>
  Effect.runPromise(Effect.flip(simulate(wishes, options))).then(({ message }) => message)

describe("a bucket that keeps its promises", () => {
  it("passes with a merge that loses nothing, and clients and faults are counted", async () => {
    const report = await Effect.runPromise(simulate(carts, { seeds: 5 }))
    const { operations, ...counted } = report
    expect(counted).toMatchObject({ bucket: "carts", seed: 1, seeds: 5 })
    const writes = Object.values(operations).reduce((sum, count) => sum + count)
    expect(writes).toBeGreaterThan(5 * 100)
    // The others are reads.
    expect(writes).toBeLessThan(5 * 200)
    expect(operations["acknowledged"]).toBeGreaterThan(200)
    expect(Object.keys(report.faults).length).toBeGreaterThan(10)
  })

  it("passes with clients and an invariant of its own", async () => {
    const report = await Effect.runPromise(simulate(wishes, { ...wishing, seeds: 10 }))
    expect(report.operations["acknowledged"]).toBeGreaterThan(200)
  })

  for (const bucket of everyKind) {
    it(`passes under faults of every kind, such as ${bucket.name}`, async () => {
      const report = await Effect.runPromise(simulate(bucket, { seeds: 3, faults: kinds }))
      expect(report.operations["acknowledged"]).toBeGreaterThan(100)
    })
  }

  it("passes where it keeps five replicas, or one, or acknowledges from memory", async () => {
    const others = [{ n: 5 }, { n: 1 }, { durability: "buffered" }] as const
    for (const options of others) {
      const bucket = Bucket.merge("wishes", { key, value: Wishes, merge: union, ...options })
      await Effect.runPromise(simulate(bucket, { ...wishing, seeds: 3 }))
    }
  })

  it("counts acknowledged operations, and no more than may have happened", async () => {
    await Effect.runPromise(simulate(visits, {
      seeds: 5,
      operations: {
        visit: (random) => {
          const times = random.integer(1, 9)
          return { input: times, change: (counter) => counter.add(times) }
        }
      },
      invariant: (count = 0, { acknowledged, unknown }) => {
        const least = acknowledged.reduce((sum, { input }) => sum + input, 0)
        const most = unknown.reduce((sum, { input }) => sum + input, least)
        return count >= least && count <= most ? undefined : `${count}, not ${least} to ${most}`
      }
    }))
  })

  it("may be changed by several operations of a data type at once", async () => {
    const lists = Bucket.crdt("lists", { key, type: Crdt.map(Crdt.set(Schema.String)) })
    await Effect.runPromise(simulate(lists, {
      seeds: 3,
      operations: {
        both: (random) => {
          const item = random.id()
          return {
            input: item,
            change: (list) => [list.add("left", item), list.add("right", item)]
          }
        }
      },
      invariant: (lines, { acknowledged }) => {
        for (const { input } of acknowledged) {
          expect(lines?.get("left")).toContain(input)
          expect(lines?.get("right")).toContain(input)
        }
      }
    }))
  })
})

const registers = (n: number) => Bucket.lww("registers", { key, value: Schema.String, n })

const set = (random: SeededRandom) => {
  const input = random.id()
  return { input, change: () => input }
}

describe("the order in which clients acted", () => {
  it("is told in the order in which they began, with what went on at the same time", async () => {
    let [done, overlapping] = [0, 0]
    await Effect.runPromise(simulate(registers(3), {
      seeds: 5,
      operations: { set },
      invariant: (_current, { acknowledged, unknown }) => {
        for (const list of [acknowledged, unknown]) {
          const begun = list.map(({ beganAt }) => beganAt)
          expect(begun).toEqual(begun.toSorted((a, b) => a - b))
          for (const { beganAt, endedAt } of list) {
            expect(beganAt).toBeGreaterThanOrEqual(0)
            expect(endedAt).toBeGreaterThanOrEqual(beganAt)
          }
          done += list.length
        }
        overlapping += acknowledged.filter(({ endedAt }, index) =>
          endedAt > (acknowledged[index + 1]?.beganAt ?? Infinity)
        ).length
      }
    }))
    expect(done).toBeGreaterThan(1_000)
    expect(overlapping).toBeGreaterThan(100)
  })

  it("tells which write of a register must have been replaced", async () => {
    let followed = 0
    const options = {
      operations: { set },
      invariant: (
        current: string | undefined,
        { acknowledged }: Pick<Done<ReturnType<typeof registers>, { set: string }>, "acknowledged">
      ) => {
        for (const { endedAt, input } of acknowledged) {
          const later = acknowledged.find(({ beganAt }) => beganAt > endedAt)
          if (later === undefined) continue
          followed++
          if (input === current) return `${input} is shown, not ${later.input} that came after it`
        }
        return undefined
      }
    }
    // A client that writes has read the state of the only replica: nobody stands in for its owner
    // while that one can be reached.
    const reached = { ...options, seeds: 20, faults: ["clocks"] as const }
    await Effect.runPromise(simulate(registers(1), reached))
    expect(followed).toBeGreaterThan(1_000)
    const found = await failure(simulate(registers(3), options))
    expect(found.problem).toMatch(/ is shown, not \w{26} that came after it$/)
  })
})

describe("a faulty bucket is found under the first seeds", () => {
  const merges: Readonly<Record<string, (left: Wishes, right: Wishes) => Wishes>> = {
    "a merge that keeps the longer of two": (left, right) =>
      left.length >= right.length ? left : right,
    "a merge that cares about the order": (left, right) => [...new Set([...left, ...right])]
  }
  for (const [title, merge] of Object.entries(merges)) {
    it(title, async () => {
      const found = await failure(simulate(wishBucket(merge)))
      expect(found.promise).toBe("the shown value contains every acknowledged write")
      expect(found.problem).toMatch(/ at n\d, merge\(\w+, \w+\) = /)
    })
  }

  it("a merge that adds up, before values have grown too large to go on", async () => {
    const found = await failure(simulate(wishBucket((left, right) => [...left, ...right].sort())))
    expect(found).toMatchObject({ check: "growth", promise: "values do not grow without end" })
    expect(found.problem).toMatch(/^Grown: a client writes \d+ characters of JSON/)
  })

  it("a merge that throws a coin, or anything else", async () => {
    const coin = await failure(
      simulate(wishBucket((left, right) => (Math.random() < 0.5 ? left : right)))
    )
    expect(coin.problem).toBe("Unrepeatable: a simulated run must not use Math random")
    const thrower = wishBucket(() => {
      throw new TypeError("wishes are not for merging")
    })
    expect((await failure(simulate(thrower))).problem).toContain("wishes are not for merging")
  })

  it("a merge that drops one side's value, lawful as that is, by the invariant", async () => {
    const common = wishBucket((left, right) => left.filter((wish) => right.includes(wish)))
    const found = await failure(simulate(common, wishing))
    expect(found.promise).toBe("the invariant holds on every node")
    expect(found.problem).toMatch(/ at n\d: \w{26} is lost$/)
  })

  it("a register used as a cart, even without faults", async () => {
    const found = await failure(simulate(lastWishes, { ...wishing, faults: [] }))
    expect(found.promise).toBe("the invariant holds on every node")
    expect(found.problem).toMatch(/ is lost$/)
    expect(found.story.filter((line) => line.includes(": acknowledged after ")).length)
      .toBeLessThan(5)
  })

  it("values that the schema refuses", async () => {
    const short = Bucket.lww("short", { key, value: Schema.String.check(Schema.isMaxLength(3)) })
    const found = await failure(simulate(short, {
      operations: { append: () => ({ input: "x", change: (text = "") => `${text}x` }) }
    }))
    expect(found.problem).toMatch(/append is refused: InvalidValue: bucket short, at \$: /)
  })
})

describe("a failure", () => {
  it("is repeated by its seed alone", async () => {
    const all = { ...wishing, seed: 11 }
    const bucket = wishBucket((left) => left)
    const found = await failure(simulate(bucket, all))
    const again = await failure(simulate(bucket, { ...all, seed: found.seed, seeds: 1 }))
    expect(again).toEqual(found)
    expect(found.message).toContain(`replay it with { seed: ${found.seed}, seeds: 1 }`)
  })

  it("comes with an invariant's error", async () => {
    const found = await failure(simulate(wishes, {
      invariant: (current, { key }) => {
        expect([key, current]).toBe("anything else")
      }
    }))
    expect(found.problem).toMatch(/^".*" at n\d: expected \[/)
  })
})

it("a simulation can be interrupted while a failure is shrunk", async () => {
  const isSeen = Deferred.makeUnsafe<void>()
  let asked = 0
  const simulated = simulate(wishes, {
    invariant: () => {
      // Not yet by the first run: of no more than three documents, on three nodes each.
      if (++asked === 20) Deferred.doneUnsafe(isSeen, Exit.void)
      return "wrong"
    }
  })
  const exit = await Effect.runPromise(Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(simulated)
    yield* Deferred.await(isSeen)
    // Goes on when it is given a turn, not within the invariant.
    yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
    return yield* Fiber.await(fiber)
  }))
  expect(Exit.hasInterrupts(exit)).toBe(true)
  // Only the run that was going on comes to its end.
  expect(asked).toBeLessThan(20 + 9)
})

it("the same seeds give the same report, and others another", async () => {
  const report = () => Effect.runPromise(simulate(wishes, { seeds: 3 }))
  const first = await report()
  expect(await report()).toEqual(first)
  const others = await Effect.runPromise(simulate(wishes, { seeds: 3, seed: 2 }))
  expect(others.hash).not.toBe(first.hash)
})

describe("an option that makes no sense", () => {
  it.each([
    [{ nodes: 2 }, "nodes is 2, expected a whole number from 3 to 15"],
    [{ steps: 0 }, "steps is 0, expected a whole number from 1 to 10000"],
    [{ seeds: 1.5 }, "seeds is 1.5, expected a whole number from 1 to 1000000"],
    [{ seed: -1 }, /^seed is -1, expected a whole number from 0 to \d+$/],
    [{ faults: ["rain"] }, /^faults is rain, expected some of network, partitions, /],
    [{ operations: {} }, "operations is empty, expected at least one, or none given at all"]
  ])("is refused with what was expected: %j", async (options, message) => {
    expect(await refusal(options)).toMatch(message)
  })

  it("is a schema that generates nothing, unless the clients' operations are given", async () => {
    const Symbol = Schema.String.check(Schema.makeFilter(() => false))
    const bucket = Bucket.lww("nothing", { key, value: Symbol })
    const refused = await Effect.runPromise(Effect.flip(simulate(bucket)))
    expect(refused.message).toMatch(/^the schema of nothing is .*, expected one that generates /)
  })

  it("does not compile where the types can tell", () => {
    // @ts-expect-error there is no such kind of faults
    void simulate(wishes, { faults: ["rain"] })
    // @ts-expect-error a wish is a text
    void simulate(wishes, { operations: { wish: () => ({ input: 1, change: () => [1] }) } })
    expect(Object.values(faultKinds).flat()).toHaveLength(faultClasses.length)
  })
})

it("every class of faults is of some kind", () => {
  const known = Object.values(faultKinds).flatMap((classes) => classes.map(({ name }) => name))
  expect(known.sort()).toEqual(faultClasses.map(({ name }) => name).sort())
})
