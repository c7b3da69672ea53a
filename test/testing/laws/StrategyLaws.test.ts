/**
 * Shows that the laws of strategies find planted faults, and that the scripts they are tried on
 * reach what makes replicas hard.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { Children } from "../../../src/core/crdt/Children.ts"
import type { Delta, Document } from "../../../src/core/crdt/Document.ts"
import type { DotStore } from "../../../src/core/crdt/DotStore.ts"
import { plus } from "../../../src/core/crdt/Sum.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import type * as Bucket from "../../../src/core/strategy/Bucket.ts"
import { shown } from "../../../src/core/strategy/RegisterType.ts"
import type { Mutated, Mutation } from "../../../src/core/strategy/Strategy.ts"
import { type LawSubject, scripts, subjectOf } from "../../../src/testing/laws/Script.ts"
import { checkLaws, LawViolation } from "../../../src/testing/laws/Law.ts"
import { strategyLaws } from "../../../src/testing/laws/StrategyLaws.ts"
import { play, type State, type Trace } from "../../../src/testing/laws/Trace.ts"
import { everyKind, labels, notes, profiles, shelves, tags, titles, views } from "./lawBuckets.ts"

const seeds = Array.from({ length: 10 }, (_, i) => i)

/** Expects that 200 scripts show under each seed that `subject` breaks `law`. */
const expectBroken = async (subject: LawSubject, law: string) => {
  const only = strategyLaws(subject).filter(({ name }) => name === law)
  for (const seed of seeds) {
    const error = await Effect.runPromise(Effect.flip(checkLaws("planted", only, { seed })))
    expect(error).toBeInstanceOf(LawViolation)
  }
}

/** `bucket` with every state that a join or delta gives changed by `change`. */
const withJoins = (bucket: Bucket.Any, change: (document: Document) => Document): LawSubject => {
  const subject = subjectOf(bucket)
  return {
    ...subject,
    join: (left, right) => change(subject.join(left, right)),
    apply: (document, delta) => change(subject.apply(document, delta))
  }
}

/** `bucket` with every delta changed by `change`. */
const withDeltas = (
  bucket: Bucket.Any,
  change: (delta: Delta, mutation: Mutation) => Delta
): LawSubject => {
  const subject = subjectOf(bucket)
  const operations = [...subject.strategy.operations].map(([name, operation]) => {
    const mutate = (mutation: Mutation): Mutated => {
      const mutated = operation.mutate(mutation)
      return mutated._tag === "Changed"
        ? { ...mutated, delta: change(mutated.delta, mutation) }
        : mutated
    }
    return [name, { ...operation, mutate }] as const
  })
  return { ...subject, strategy: { ...subject.strategy, operations: new Map(operations) } }
}

/** A register as it is often written: only the value that is shown is kept. */
const pruned = (store: DotStore): DotStore => {
  if (store.kind === "values") return { ...store, siblings: [shown(store)!] }
  if (store.kind !== "tree") return store
  const children = [...store.children].map(([key, child]) => [key, pruned(child)] as const)
  return { ...store, children: Children.of(children) }
}

/** A counter that every join counts on. */
const raised = (store: DotStore): DotStore => {
  if (store.kind !== "counter") return store
  const totals = [...store.totals].map(([actor, total]) =>
    [actor, { ...total, removed: { ...total.removed, sum: plus(total.removed.sum, 1) } }] as const
  )
  return { ...store, totals: new Map(totals) }
}

const withStore = (document: Document, change: (store: DotStore) => DotStore): Document =>
  document.store === undefined ? document : { ...document, store: change(document.store) }

describe("a faulty strategy breaks a law under every one of ten seeds", () => {
  it("a join that keeps at most two siblings", async () => {
    const subject = withJoins(
      notes,
      (document) =>
        withStore(
          document,
          (store) =>
            store.kind === "values" ? { ...store, siblings: store.siblings.slice(0, 2) } : store
        )
    )
    await expectBroken(subject, "join is associative")
  })

  it("a register that drops hidden entries, which a removal may yet uncover", async () => {
    for (const bucket of [titles, labels]) {
      const subject = withJoins(bucket, (document) => withStore(document, pruned))
      await expectBroken(subject, "join is associative")
    }
  })

  it("a join that keeps the left side's value", async () => {
    const subject = subjectOf(profiles)
    const join = (left: Document, right: Document): Document => ({
      ...subject.join(left, right),
      store: left.store ?? right.store
    })
    await expectBroken({ ...subject, join }, "join is commutative")
  })

  it("a join that adds counters up", async () => {
    const subject = withJoins(views, (document) => withStore(document, raised))
    await expectBroken(subject, "join is idempotent")
  })

  it("a delta that omits its dot", async () => {
    const subject = withDeltas(tags, (delta, { dot }) => ({
      ...delta,
      seen: {
        ...delta.seen,
        dots: delta.seen.dots.filter(({ counter }) => counter !== dot.counter)
      }
    }))
    await expectBroken(subject, "every operation is an inflation")
  })

  it("a join that overlooks the other side's waiting removals", async () => {
    const subject = subjectOf(tags)
    const join = (left: Document, right: Document) => subject.join(left, { ...right, deferred: [] })
    await expectBroken({ ...subject, join }, "join is commutative")
  })

  it("an operation that changes the state it was given", async () => {
    const subject = withDeltas(views, (delta, { document }) => {
      if (document.store?.kind === "counter" && document.store.totals instanceof Map) {
        document.store.totals.clear()
      }
      return delta
    })
    await expectBroken(subject, "operations and joins leave their inputs as they are")
  })

  it("an operation that asks a clock of its own", async () => {
    let now = 0
    const subject = withDeltas(notes, (delta) => ({
      ...delta,
      store: delta.store?.kind === "values"
        ? { ...delta.store, siblings: delta.store.siblings.map((s) => ({ ...s, stamp: ++now })) }
        : delta.store
    }))
    await expectBroken(subject, "operations and joins are deterministic")
  })

  it("a view that its own schema refuses", async () => {
    const subject = subjectOf(shelves)
    const faulty = {
      ...subject,
      strategy: { ...subject.strategy, view: () => ({ values: ["0"] }) }
    }
    await expectBroken(faulty, "views fit the schema")
  })

  it("a join that throws, told with the steps before it", async () => {
    const subject = withJoins(tags, () => {
      throw new Error("not yet")
    })
    const error = await Effect.runPromise(Effect.flip(checkLaws("planted", strategyLaws(subject))))
    expect(error.message).toContain("threw Error: not yet")
  })
})

describe("a violation found on a history", () => {
  it("shows few steps, and is repeated by its token", async () => {
    const laws = strategyLaws(withJoins(titles, (document) => withStore(document, pruned)))
    const violation = (replay?: string) =>
      Effect.runPromise(Effect.flip(checkLaws("planted", laws, { seed: 3, replay })))
    const found = await violation()
    if (found._tag !== "LawViolation") throw found
    expect(found.counterexample.split("\n").length).toBeLessThanOrEqual(6)
    expect((await violation(found.replay)).message).toBe(found.message)
  })
})

const areApart = (one: State, other: State): boolean =>
  VersionVector.compare(one.document.context, other.document.context) === "concurrent"

/** The hard cases of replicas, counted over the traces of one bucket. */
const difficulties: Readonly<Record<string, (trace: Trace) => boolean>> = {
  "a removal waits for what it had seen": ({ states }) =>
    states.some(({ document }) => document.deferred.length > 0),
  "siblings stand side by side": ({ states }) =>
    states.some(({ document: { store } }) => store?.kind === "values" && store.siblings.length > 1),
  "a client has seen more than the replica": ({ lines }) =>
    lines.some((line) => line.endsWith("ContextAhead")),
  "a delta arrives late": ({ lines }) => lines.some((line) => line.includes("gets the delta")),
  "a state arrives": ({ lines }) => lines.some((line) => line.includes(": joins ")),
  "a replica writes again after it forgot": ({ operated }) =>
    operated.some(({ dot }) => !dot.actor.endsWith(".1")),
  "three states are concurrent": ({ states }) => {
    return states.some((a) =>
      states.some((b) => areApart(a, b) && states.some((c) => areApart(a, c) && areApart(b, c)))
    )
  }
}

describe("generated scripts", () => {
  it("reach every difficulty in at least one in fifty", async () => {
    const samples = await Promise.all(everyKind.map(async (bucket) => {
      const subject = subjectOf(bucket)
      const sampled = Arbitrary.sampleEffect(scripts(subject), { count: 500, seed: 1, size: 6 })
      return (await Effect.runPromise(sampled)).map((history) => play(subject, history))
    }))
    for (const [difficulty, occurs] of Object.entries(difficulties)) {
      const most = Math.max(...samples.map((traces) => traces.filter(occurs).length))
      expect(most, difficulty).toBeGreaterThanOrEqual(10)
    }
  })
})
