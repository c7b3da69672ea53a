/**
 * Applies the operations of one request to a document, all or none: each sees the effect of those
 * before it, and the dot of each is new in the document.
 */
import type { Dot } from "../core/clock/Dot.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import { DeltaJoin } from "../core/crdt/DeltaJoin.ts"
import * as Document from "../core/crdt/Document.ts"
import { invariant } from "../core/Invariant.ts"
import type { Mutation, Operation, Unchanged } from "../core/strategy/Strategy.ts"

/** One operation of a request, with its arguments as JSON values. */
export interface Call {
  readonly operation: Operation
  readonly args: ReadonlyArray<unknown>
}

export type AppliedCalls =
  | {
    readonly _tag: "Applied"
    readonly document: Document.Document
    /** Of the operations, in their order. */
    readonly deltas: ReadonlyArray<Document.Delta>
    /** Whether a removal waits for dots that it had seen and that are not here. */
    readonly defers: boolean
  }
  | Unchanged

export const otherKind = "a state of another kind is stored under this key"

/**
 * **Requires** at least one call, and dots that neither `before` nor `seen` holds: a dot that a
 * context holds already would take its write away as seen and removed.
 */
export const applyCalls = (
  before: Document.Document,
  options: Pick<Mutation, "counterUpdatesMax" | "nowMillis" | "seen" | "stampSeen"> & {
    readonly calls: ReadonlyArray<Call>
    readonly nextDot: () => Dot
  }
): AppliedCalls => {
  const { calls, counterUpdatesMax, nextDot, nowMillis, seen, stampSeen } = options
  const join = new DeltaJoin(before)
  invariant(calls.length > 0, "an update does something")
  let deltas: Array<Document.Delta> | undefined
  let defers = false
  for (const { args, operation } of calls) {
    const { document } = join
    const dot = nextDot()
    const isNew = !VersionVector.contains(document.context, dot.actor, dot.counter)
    invariant(isNew, "a dot that is made is new in its document")
    const mutated = operation.mutate({
      document,
      dot,
      args,
      seen,
      stampSeen,
      nowMillis,
      counterUpdatesMax
    })
    if (mutated._tag !== "Changed") return mutated
    const { deferred, store } = mutated.delta
    if (!Document.canHold(document, store)) {
      return { _tag: "InvalidArguments", path: "$", problem: otherKind }
    }
    defers ||= deferred.length > 0
    join.add(mutated.delta)
    // Most requests have one, and a list that grows has room for sixteen more.
    if (deltas === undefined) deltas = [mutated.delta]
    else deltas.push(mutated.delta)
  }
  return { _tag: "Applied", document: join.finish(), deltas: deltas ?? [], defers }
}
