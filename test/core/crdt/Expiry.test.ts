// Checks that an expiry is a register of its document: what a write has seen, it replaces; of what
// was written concurrently, the longest wins. The laws of its joins are tested with `Document`'s.
import { describe, expect, it } from "vitest"
import * as Document from "../../../src/core/crdt/Document.ts"
import { InvariantViolation } from "../../../src/core/Invariant.ts"
import * as Strategies from "../../../src/core/strategy/Strategies.ts"
import { definitions } from "../reachable.ts"

const { expiresAt, join } = Document

/** `document` after a write of `actor` that only sets or lifts the expiry. */
const setting = (
  document: Document.Document,
  actor: string,
  at: number | null
): Document.Document => {
  const dot = { actor, counter: (document.context.get(actor) ?? 0) + 1 }
  const { context: vector, ...rest } = Document.empty
  const delta = { ...rest, seen: { vector, dots: [dot] } }
  return Document.apply(document, Document.withExpiry(delta, { document, dot, at }))
}

const base = setting(Document.empty, "a", 500)

describe("the expiry of a document", () => {
  it("is none where no write has set it, and costs the document no array of its own", () => {
    expect(expiresAt(Document.empty)).toBeUndefined()
    const written = { ...Document.empty, context: new Map([["a", 1]]) }
    expect(join(Document.empty, written)).toBe(written)
  })

  it("is replaced by a write that has seen it, by a shorter one too", () => {
    const shorter = setting(base, "b", 200)
    expect(expiresAt(shorter)).toBe(200)
    expect(shorter.expiry).toHaveLength(1)
    expect(expiresAt(join(base, shorter))).toBe(200)
    expect(expiresAt(join(shorter, base))).toBe(200)
  })

  it("is the longest of those that were set concurrently", () => {
    const [one, other] = [setting(base, "b", 200), setting(base, "c", 300)]
    expect(expiresAt(join(one, other))).toBe(300)
    expect(expiresAt(join(other, one))).toBe(300)
  })

  it("is lifted where one write lifts it and another sets it concurrently", () => {
    const [lifted, set] = [setting(base, "b", null), setting(base, "c", 10 ** 15)]
    expect(expiresAt(lifted)).toBeUndefined()
    expect(expiresAt(join(lifted, set))).toBeUndefined()
    expect(expiresAt(join(set, lifted))).toBeUndefined()
  })

  it("can be set again by a write that has seen the lift", () => {
    const lifted = join(setting(base, "b", null), setting(base, "c", 900))
    const again = setting(lifted, "a", 100)
    expect(expiresAt(again)).toBe(100)
    expect(expiresAt(join(lifted, again))).toBe(100)
  })

  it.each([-1, 1.5, Number.NaN, 2 ** 53])("cannot be set to %d", (at) => {
    expect(() => setting(base, "b", at)).toThrow(InvariantViolation)
  })
})

const argumentsOf = { value: "x", key: "k", integer: 1 } as const

/** A document of the bucket that a reader gets something of, which expires at 500. */
const shownUntil500 = (strategy: ReturnType<typeof Strategies.make>): Document.Document => {
  const operation = [...strategy.operations.values()].find(({ name }) =>
    /(?:^|[.])(?:put|add|set)$/u.test(name)
  )!
  const mutated = operation.mutate({
    document: base,
    dot: { actor: "b", counter: 1 },
    nowMillis: 0,
    seen: undefined,
    stampSeen: 0,
    counterUpdatesMax: 16,
    args: operation.args.map((kind) => argumentsOf[kind])
  })
  if (mutated._tag !== "Changed") throw new Error(mutated._tag)
  return Document.apply(base, mutated.delta)
}

describe.each(definitions)("a document of %s", (_, definition) => {
  const strategy = Strategies.make(definition)
  const document = shownUntil500(strategy)
  const shownAt = (nowMillis: number) => strategy.view(document, nowMillis).values

  it("is shown until its expiry, and from then on is as if it were absent", () => {
    expect(shownAt(499)).toHaveLength(1)
    expect(shownAt(500)).toEqual([])
    expect(shownAt(Number.MAX_SAFE_INTEGER)).toEqual([])
  })

  it("is shown again once its expiry is lifted", () => {
    const lifted = setting(document, "c", null)
    expect(strategy.view(lifted, 500).values).toEqual(shownAt(499))
  })
})

describe("a write of a whole value", () => {
  const { operations } = Strategies.make({ family: "siblings" })

  it.each([
    ["ends an expiry that its client had seen", { vector: base.context, stamp: 0 }, undefined],
    ["leaves an expiry that its client had not seen", undefined, 500]
  ])("%s", (_, seen, at) => {
    const dot = { actor: "b", counter: 1 }
    const mutated = operations.get("put")!.mutate({
      document: base,
      dot,
      nowMillis: 0,
      seen,
      stampSeen: 0,
      counterUpdatesMax: 16,
      args: ["x"]
    })
    if (mutated._tag !== "Changed") throw new Error(mutated._tag)
    expect(expiresAt(Document.apply(base, mutated.delta))).toBe(at)
  })
})
