/**
 * Shows that the law kit passes what is right, finds what is wrong, and repeats what it found.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Bucket from "../../../src/core/strategy/Bucket.ts"
import * as Key from "../../../src/core/strategy/Key.ts"
import { checkBucket, lawsOf } from "../../../src/testing/laws/CheckBucket.ts"
import { checkLaws, type CheckOptions } from "../../../src/testing/laws/Law.ts"
import { type Cart, cartBucket, carts, everyKind, mergeItems } from "./lawBuckets.ts"

const check = (bucket: Bucket.Any, options?: CheckOptions) =>
  Effect.runPromise(checkBucket(bucket, options))

/** The error that the check fails with. */
const failure = (bucket: Bucket.Any, options?: CheckOptions) =>
  Effect.runPromise(Effect.flip(checkBucket(bucket, options)))

const violation = async (bucket: Bucket.Any, options?: CheckOptions) => {
  const error = await failure(bucket, options)
  if (error._tag !== "LawViolation") throw error
  return error
}

/** The laws that apply. */
const names = async (bucket: Bucket.Any) =>
  (await check(bucket, { runs: 1 })).laws.map(({ law }) => law)

describe("a bucket that keeps the laws", () => {
  for (const bucket of everyKind) {
    it(`passes, such as ${bucket.name}`, async () => {
      const report = await check(bucket)
      expect(report.bucket).toBe(bucket.name)
      expect(report.laws.every(({ runs }) => runs === 200)).toBe(true)
    })
  }

  it("is checked against the laws of its strategy, and of its merge if it has one", async () => {
    const ofMerges = (await names(carts)).filter((law) => law.includes("merge"))
    expect(ofMerges).toEqual([
      "merge leaves its inputs as they are",
      "merge gives values that fit the schema",
      "merge is deterministic",
      "merge is commutative",
      "merge is idempotent",
      "merge is absorbing",
      "merge is associative",
      "siblings merge alike in every order"
    ])
    for (const bucket of everyKind) {
      const others = (await names(bucket)).filter((law) => !law.includes("merge"))
      expect(others).toHaveLength(12)
    }
  })

  it("is checked on as many inputs as were asked for", async () => {
    const report = await check(carts, { runs: 7 })
    expect(report.laws.map(({ runs }) => runs)).toEqual(report.laws.map(() => 7))
  })
})

const seeds = Array.from({ length: 20 }, (_, i) => i)

/** That `law` is the first that `bucket` breaks, and that 200 inputs find it whatever the seed. */
const expectBroken = async (bucket: Bucket.Any, law: string) => {
  expect((await violation(bucket)).law).toBe(law)
  const only = lawsOf(bucket).filter(({ name }) => name === law)
  for (const seed of seeds) {
    const found = await Effect.runPromise(Effect.flip(checkLaws(bucket.name, only, { seed })))
    expect(found._tag).toBe("LawViolation")
  }
}

describe("a merge that breaks a law is found under every one of twenty seeds", () => {
  const cases: Record<string, readonly [merge: (a: Cart, b: Cart) => Cart, law: string]> = {
    "it spreads one cart over the other": [
      (a, b) => ({ items: { ...a.items, ...b.items } }),
      "merge is commutative"
    ],
    "it takes the cart that came last": [(_, b) => b, "merge is commutative"],
    "it adds the quantities": [
      (a, b) => ({ items: mergeItems(a.items, b.items, (x, y) => x + y) }),
      "merge is idempotent"
    ],
    "it takes the mean, which need not be whole": [
      (a, b) => ({ items: mergeItems(a.items, b.items, (x, y) => (x + y) / 2) }),
      "merge gives values that fit the schema"
    ],
    "it finds toString in every cart": [
      (a, b) => ({
        items: Object.fromEntries(
          Object.keys({ ...a.items, ...b.items })
            .map((sku) => [sku, Math.max(a.items[sku] ?? 0, b.items[sku] ?? 0)])
        )
      }),
      "merge gives values that fit the schema"
    ],
    "it puts one cart's items into the other": [
      (a, b) => ({ items: Object.assign(a.items, b.items) }),
      "merge leaves its inputs as they are"
    ],
    "it throws a coin": [
      (a, b) => ({ items: Math.random() < 0.5 ? a.items : b.items }),
      "merge is deterministic"
    ],
    "it keeps the larger cart, and of two as large the first": [
      (a, b) => Object.keys(a.items).length >= Object.keys(b.items).length ? a : b,
      "merge is commutative"
    ],
    "it lets one quantity beat another as paper beats stone": [
      (a, b) => ({
        items: mergeItems(
          a.items,
          b.items,
          (x, y) => (x - y) % 3 === 0 ? Math.max(x, y) : (x - y + 300) % 3 === 1 ? x : y
        )
      }),
      "merge is associative"
    ]
  }
  for (const [title, [merge, law]] of Object.entries(cases)) {
    it(title, async () => {
      await expectBroken(cartBucket(merge), law)
    })
  }

  it("it adds to a Map that it was given", async () => {
    const bucket = Bucket.merge("stock", {
      key: Key.text,
      value: Schema.Struct({ counts: Schema.ReadonlyMap(Schema.String, Schema.Int) }),
      merge: (a, b) => {
        if (a.counts instanceof Map) a.counts.set("seen", 1)
        return { counts: new Map([...a.counts, ...b.counts]) }
      }
    })
    await expectBroken(bucket, "merge leaves its inputs as they are")
  })

  it("it throws, which is told with its error", async () => {
    const bucket = cartBucket((a, b) => {
      if ("toString" in a.items && Object.hasOwn(a.items, "toString")) throw new Error("no stock")
      return { items: mergeItems(a.items, b.items, Math.max) }
    })
    expect((await violation(bucket, { seed: 1 })).problem).toBe("threw no stock")
  })
})

describe("a violation", () => {
  const adding = cartBucket((a, b) => ({ items: mergeItems(a.items, b.items, (x, y) => x + y) }))

  it("shows the smallest values that break the law, and their result", async () => {
    const { counterexample, problem, message } = await violation(adding, { seed: 5 })
    expect(counterexample).toMatch(/^a = \{"items":\{"[^"]*":-?1\}\}$/)
    expect(problem).toMatch(/^merge\(a, a\) = .*2\}\}\na = .*1\}\}$/)
    expect(message).toContain(counterexample)
  })

  it("is repeated by its token under any seed", async () => {
    const found = await violation(adding)
    const again = await violation(adding, { replay: found.replay, seed: "another" })
    expect(again.message).toBe(found.message)
  })

  it("is gone when its token is tried on a merge that is mended", async () => {
    const { replay } = await violation(adding)
    expect((await check(carts, { replay })).laws).toEqual([{ law: "merge is idempotent", runs: 1 }])
  })

  it("is the same under the same seed", async () => {
    const [one, two] = [await violation(adding, { seed: 9 }), await violation(adding, { seed: 9 })]
    expect(one.replay).toBe(two.replay)
  })
})

describe("a law that cannot be tried is undecided, not kept", () => {
  it("where the schema lets no value be generated", async () => {
    const impossible = Schema.String.check(Schema.makeFilter(() => false))
    const bucket = Bucket.lww("none", { key: Key.text, value: impossible })
    expect(await failure(bucket)).toMatchObject({ _tag: "LawUndecided" })
  })

  it("where the token is none, or that of a law that does not apply", async () => {
    for (const replay of ["merge is commutative@?", "merge is fair@[]", ""]) {
      expect(await failure(carts, { replay })).toMatchObject({ _tag: "LawUndecided" })
    }
  })
})
