/**
 * Shows that the specifications find faults which break no law: strategies that agree with
 * themselves everywhere and do the wrong thing.
 */
import { describe, expect, it } from "vitest"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import type { Delta } from "../../src/core/crdt/Document.ts"
import type { TypeDefinition } from "../../src/core/model/BucketDefinition.ts"
import * as CrdtStrategy from "../../src/core/strategy/CrdtStrategy.ts"
import { lww } from "../../src/core/strategy/LwwStrategy.ts"
import { siblings } from "../../src/core/strategy/SiblingsStrategy.ts"
import type { Mutated, Mutation, Strategy } from "../../src/core/strategy/Strategy.ts"
import { checkSpecification, type Specified } from "./checkSpecification.ts"
import { hasCounter, typeRequests } from "./TypeRequests.ts"
import { mayBeTooOld, type TypeChange, view } from "./TypeSpecification.ts"
import * as ValueSpecification from "./ValueSpecification.ts"

/** `strategy` with its mutations and their outcomes changed. */
const altered = (
  strategy: Strategy,
  changes: {
    readonly before?: (mutation: Mutation) => Mutation
    readonly after?: (delta: Delta, mutation: Mutation) => Delta
  }
): Strategy => {
  const { before = (mutation) => mutation, after = (delta) => delta } = changes
  const operations = [...strategy.operations].map(([name, operation]) => {
    const mutate = (mutation: Mutation): Mutated => {
      const mutated = operation.mutate(before(mutation))
      return mutated._tag === "Changed"
        ? { ...mutated, delta: after(mutated.delta, mutation) }
        : mutated
    }
    return [name, { ...operation, mutate }] as const
  })
  return { ...strategy, operations: new Map(operations) }
}

const ofType = (type: TypeDefinition, strategy: Strategy): Specified<TypeChange> => ({
  strategy,
  requests: typeRequests(type),
  view: view(type),
  clientCounts: false,
  refusesAhead: (change) => change.tag === "removal" && hasCounter(change.of),
  mayBeTooOld
})

const ofValues = (
  strategy: Strategy,
  specification: Specified<ValueSpecification.ValueChange>["view"]
): Specified<ValueSpecification.ValueChange> => ({
  strategy,
  requests: ValueSpecification.valueRequests,
  view: specification,
  clientCounts: true,
  refusesAhead: () => false,
  mayBeTooOld: () => false
})

/** That a reader gets something else than is specified, in one of 3000 histories at most. */
const expectFound = <Change>(specified: Specified<Change>) => {
  let cause: unknown
  try {
    checkSpecification(specified, 3000)
  } catch (error) {
    cause = error instanceof Error ? error.cause : undefined
  }
  expect(String(cause)).toContain("what a reader gets")
}

const withStamps = (delta: Delta, stamp: number): Delta =>
  delta.store?.kind === "values"
    ? {
      ...delta,
      store: {
        ...delta.store,
        siblings: delta.store.siblings.map((sibling) => ({ ...sibling, stamp }))
      }
    }
    : delta

/** The strategy of `type`, to which its client has seen something else, though not too much. */
const unlessAhead = (type: TypeDefinition, seen: (mutation: Mutation) => Mutation["seen"]) =>
  altered(CrdtStrategy.make(type), {
    before: (mutation) => {
      const known = mutation.seen?.vector
      const isAhead = known === undefined || !VersionVector.covers(mutation.document.context, known)
      return isAhead ? mutation : { ...mutation, seen: seen(mutation) }
    }
  })

const set: TypeDefinition = { type: "set" }
const register: TypeDefinition = { type: "register" }
const counters: TypeDefinition = { type: "map", of: { type: "counter" } }

describe("a specification finds", () => {
  it("a removal that forgets values which have not arrived yet", () => {
    const strategy = altered(CrdtStrategy.make(set), {
      after: (delta) => ({ ...delta, deferred: [] })
    })
    expectFound(ofType(set, strategy))
  })

  it.each([
    { name: "add", type: set },
    { name: "set", type: register }
  ])("$name that leaves what its client had read and its coordinator gets later", (planted) => {
    const strategy = CrdtStrategy.make(planted.type)
    const forgetful = altered(strategy, { after: (delta) => ({ ...delta, deferred: [] }) })
    const operation = forgetful.operations.get(planted.name)!
    const operations = new Map([...strategy.operations, [planted.name, operation] as const])
    expectFound(ofType(planted.type, { ...strategy, operations }))
  })

  it("a removal that takes away a value which its client had not read", () => {
    const strategy = altered(CrdtStrategy.make(set), {
      before: (mutation) => ({ ...mutation, seen: undefined })
    })
    expectFound(ofType(set, strategy))
  })

  it("a dropped counter that comes back with the next amount", () => {
    const strategy = CrdtStrategy.make(counters)
    const forgetful = altered(strategy, { after: (delta) => ({ ...delta, store: undefined }) })
    const drop = forgetful.operations.get("drop")!
    const operations = new Map([...strategy.operations, ["drop", drop] as const])
    expectFound(ofType(counters, { ...strategy, operations }))
  })

  it.each([{ type: counters }, { type: { type: "counter" } as const }])(
    "a removal that leaves an actor of $type.type whole which counted on since the client read",
    ({ type }) => {
      const strategy = unlessAhead(type, ({ document, seen }) => {
        const current = [...seen!.vector].filter(([actor, counter]) =>
          document.context.get(actor) === counter
        )
        return { ...seen!, vector: new Map(current) }
      })
      expectFound(ofType(type, strategy))
    }
  )

  it("a removal that takes what its coordinator knows of a counter, read or not", () => {
    expectFound(ofType(counters, unlessAhead(counters, () => undefined)))
  })

  it("a register that orders by the clock alone", () => {
    const strategy = altered(CrdtStrategy.make(register), {
      after: (delta, { nowMillis }) => withStamps(delta, nowMillis * 1000)
    })
    expectFound(ofType(register, strategy))
  })

  it("a last write that ignores the stamps which its client had read", () => {
    const strategy = altered(lww, { before: (mutation) => ({ ...mutation, stampSeen: 0 }) })
    expectFound(ofValues(strategy, ValueSpecification.lastWrite))
  })

  it("a blind write that replaces its coordinator's value", () => {
    const strategy = altered(siblings, {
      after: (delta, { document, seen }) => ({
        ...delta,
        seen: { ...delta.seen, vector: seen?.vector ?? document.context }
      })
    })
    expectFound(ofValues(strategy, ValueSpecification.siblings))
  })
})
