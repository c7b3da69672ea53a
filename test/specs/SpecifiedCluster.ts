/**
 * Runs a strategy on three replicas beside the history of their operations.
 *
 * Replicas get operations, deltas and states of one another, in any order and repeatedly, and
 * forget. Clients send no context, that of a view read just now, or that of one read long ago.
 */
import * as CausalContext from "../../src/core/clock/CausalContext.ts"
import { actor } from "../../src/core/clock/Dot.ts"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import { Incarnation } from "../../src/core/model/Incarnation.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import type { Strategy } from "../../src/core/strategy/Strategy.ts"
import { covers, type Happened, isIn, type Mask, operationsMax } from "./Happened.ts"

/** A test's description of an operation before it is carried out. */
export interface Request<Change> {
  readonly operation: string
  readonly args: ReadonlyArray<unknown>
  readonly change: Change
}

/** A family's rule for an operation's effect on causality. */
export interface Rules<Change> {
  /** Whether the replica that gets an operation counts as having seen all that its client has. */
  readonly clientCounts: boolean
  /** Whether a client that has seen more than the coordinator must be refused. */
  readonly refusesAhead: (change: Change) => boolean
  /** Whether a client may be told that it read too long ago, and must read again. */
  readonly mayBeTooOld: (
    history: ReadonlyArray<Happened<Change>>,
    local: Mask,
    asked: { readonly change: Change; readonly seen: Mask }
  ) => boolean
}

/** A step: small numbers that are read modulo the number of choices. */
export interface ClusterStep<Change> {
  readonly act: "operate" | "deliver" | "join" | "forget"
  readonly at: number
  /** A replica or a delta. */
  readonly from: number
  /** Views that the client read; none, if it says nothing. */
  readonly read: ReadonlyArray<number>
  readonly clock: number
  readonly request: Request<Change>
}

interface SpecifiedReplica {
  document: Document.Document
  seen: Mask
  birth: number
  counter: number
}

interface View {
  readonly context: CausalContext.CausalContext
  readonly seen: Mask
}

interface Sent {
  readonly delta: Document.Delta
  readonly base: VersionVector.VersionVector
  readonly local: Mask
  readonly seen: Mask
}

export interface StepCounts {
  operated: number
  refused: number
  ahead: number
  tooOld: number
  deferred: number
  delivered: number
  forgotten: number
}

export const noStepCounts = (): StepCounts => ({
  operated: 0,
  refused: 0,
  ahead: 0,
  tooOld: 0,
  deferred: 0,
  delivered: 0,
  forgotten: 0
})

/** Less than a history has operations, so that histories reach it. */
export const counterUpdatesMax = 2

const startMillis = 1_700_000_000_000
const incarnation = Incarnation.make("0".repeat(15))

/** Fails with both where they differ: thousands of times cheaper than an assertion library. */
export const same = (actual: string | boolean, expected: string | boolean, what: string): void => {
  if (actual !== expected) throw new Error(`${what}: ${actual}, expected ${expected}`)
}

export class SpecifiedCluster<Change> {
  readonly history: Array<Happened<Change>> = []
  readonly #strategy: Strategy
  readonly #rules: Rules<Change>
  readonly #counts: StepCounts
  readonly #sent: Array<Sent> = []
  readonly #views: Array<View> = [{ context: CausalContext.nothing, seen: 0 }]
  readonly #replicas: ReadonlyArray<SpecifiedReplica> = [0, 1, 2].map(() => ({
    document: Document.empty,
    seen: 0,
    birth: 1,
    counter: 1
  }))

  constructor(strategy: Strategy, rules: Rules<Change>, counts: StepCounts) {
    this.#strategy = strategy
    this.#rules = rules
    this.#counts = counts
  }

  /** The view at this replica, and the operations it has seen. */
  read(at: number): { readonly values: ReadonlyArray<string>; readonly seen: Mask } {
    const { document, seen } = this.#replicas[at]!
    return { values: this.#strategy.view(document, 0).values, seen }
  }

  /** The view of a reader that asks two replicas. */
  readBoth(at: number, other: number): ReturnType<SpecifiedCluster<Change>["read"]> {
    const [one, two] = [this.#replicas[at]!, this.#replicas[other]!]
    const document = Document.join(one.document, two.document)
    return { values: this.#strategy.view(document, 0).values, seen: one.seen | two.seen }
  }

  step(step: ClusterStep<Change>): void {
    switch (step.act) {
      case "operate":
        return this.#operate(step)
      case "deliver":
        return this.#deliver(step)
      case "join":
        return this.join(step)
      case "forget":
        return this.#forget(step.at)
    }
  }

  #hold(at: number, document: Document.Document, seen: Mask): void {
    const replica = this.#replicas[at]!
    replica.document = document
    replica.seen = seen
    this.#views.push({
      context: { vector: document.context, stamp: this.#strategy.stampOf(document) },
      seen
    })
    this.#counts.deferred += document.deferred.length
    // The context is exactly the history that was seen: everything else rests on that.
    for (const happened of this.history) {
      const { actor, counter } = happened
      const isSeen = VersionVector.contains(document.context, actor, counter)
      same(isSeen, isIn(happened, seen), `whether replica ${at} has seen ${actor} ${counter}`)
    }
  }

  #operate({ at, clock, read, request }: ClusterStep<Change>): void {
    if (this.history.length === operationsMax) return
    const replica = this.#replicas[at]!
    const { document: before, seen: local } = replica
    const views = read.map((place) => this.#views[place % this.#views.length]!)
    const context = views.map(({ context }) => context).reduce(
      CausalContext.join,
      CausalContext.nothing
    )
    const seenByClient = views.reduce((mask, { seen }) => mask | seen, 0)
    const node = NodeId.make(`n${at}`)
    const dot = {
      actor: actor({ node, incarnation, birth: replica.birth }),
      counter: ++replica.counter
    }
    const nowMillis = startMillis + clock
    const { args, change, operation } = request
    const mutated = this.#strategy.operations.get(operation)!
      .mutate({
        document: before,
        dot,
        nowMillis,
        seen: views.length === 0 ? undefined : context,
        stampSeen: context.stamp,
        counterUpdatesMax,
        args
      })
    const isAhead = !covers(local, seenByClient)
    const mustRefuse = isAhead && this.#rules.refusesAhead(change)
    if (mutated._tag === "ContextTooOld") {
      const may = this.#rules.mayBeTooOld(this.history, local, { change, seen: seenByClient })
      same(may, true, `whether ${operation} may be too old`)
      this.#counts.tooOld++
      return
    }
    same(mutated._tag, mustRefuse ? "ContextAhead" : "Changed", `the answer to ${operation}`)
    this.#counts.ahead += isAhead ? 1 : 0
    this.#counts.refused += mustRefuse ? 1 : 0
    if (mutated._tag !== "Changed") return
    this.#counts.operated++
    const bit = 1 << this.history.length
    this.history.push({
      bit,
      ...dot,
      change,
      local,
      read: views.map(({ seen }) => seen),
      nowMillis
    })
    const seen = bit | (this.#rules.clientCounts ? seenByClient : 0)
    this.#sent.push({ delta: mutated.delta, base: before.context, local, seen })
    this.#hold(at, Document.apply(before, mutated.delta), local | seen)
  }

  #deliver({ at, from }: { readonly at: number; readonly from: number }): void {
    const { document, seen } = this.#replicas[at]!
    const sent = this.#sent[from % Math.max(this.#sent.length, 1)]
    if (sent === undefined) return
    const isCovered = covers(seen, sent.local)
    same(VersionVector.covers(document.context, sent.base), isCovered, "whether a base is covered")
    if (!isCovered) return
    this.#counts.delivered++
    this.#hold(at, Document.apply(document, sent.delta), seen | sent.seen)
  }

  join({ at, from }: { readonly at: number; readonly from: number }): void {
    const [replica, other] = [this.#replicas[at]!, this.#replicas[from % 3]!]
    const joined = Document.join(replica.document, other.document)
    this.#hold(at, joined, replica.seen | other.seen)
  }

  #forget(at: number): void {
    const replica = this.#replicas[at]!
    replica.document = Document.empty
    replica.seen = 0
    replica.birth = ++replica.counter
    this.#counts.forgotten++
  }
}
