/**
 * Builds the results of mutators: deltas, refusals, and the values in their arguments.
 */
import type { Dot } from "../clock/Dot.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import type { Delta } from "../crdt/Document.ts"
import type { DotStore } from "../crdt/DotStore.ts"
import * as Expiry from "../crdt/Expiry.ts"
import type { Deferral } from "../crdt/Removal.ts"
import * as CanonicalJson from "../model/CanonicalJson.ts"
import type { Mutated, Mutation, Unchanged } from "./Strategy.ts"

const none: ReadonlyArray<never> = []

export interface DeltaContent {
  /** At or below it is all that the change adds, replaces and defers. */
  readonly path: ReadonlyArray<string>
  readonly store: DotStore | undefined
  /** Events that this change has seen and replaces, besides its own dot. */
  readonly replaces?: ReadonlyArray<Dot>
  readonly deferred?: ReadonlyArray<Deferral>
}

/**
 * The deferral at `path` that removes, as it arrives, content that the client has seen and this
 * replica has not yet.
 */
export const deferrals = (
  mutation: Mutation,
  path: ReadonlyArray<string>
): ReadonlyArray<Deferral> => {
  const { document, dot, seen } = mutation
  if (seen === undefined || VersionVector.covers(document.context, seen.vector)) return none
  return [{ ...dot, seen: seen.vector, path }]
}

/** A change that names the dots it replaces: the only change that a data type's operation makes. */
export const changed = (mutation: Mutation, change: DeltaContent): Mutated => {
  const delta: Delta = {
    seen: { vector: VersionVector.empty, dots: [...(change.replaces ?? []), mutation.dot] },
    path: change.path,
    store: change.store,
    deferred: change.deferred ?? none,
    expiry: Expiry.none
  }
  return { _tag: "Changed", delta }
}

/** A change of the whole value: it replaces all that the client, or `vector`, has seen. */
export const replaced = (
  mutation: Mutation,
  options: { readonly store: DotStore | undefined; readonly vector: VersionVector.VersionVector }
): Mutated => ({
  _tag: "Changed",
  delta: {
    seen: { vector: options.vector, dots: [mutation.dot] },
    store: options.store,
    deferred: none,
    expiry: Expiry.none
  }
})

export const invalid = (path: string, problem: string): Unchanged => ({
  _tag: "InvalidArguments",
  path,
  problem
})

/** The canonical text of argument `index`, or the reason why it has none. */
export const valueArgument = (mutation: Mutation, index: number): string | Unchanged => {
  const value = mutation.args[index]
  if (value instanceof CanonicalJson.Canonical) return value.text
  if (value === undefined) return invalid(`$[${index}]`, "a value is missing")
  try {
    return CanonicalJson.encode(value)
  } catch (error) {
    if (!(error instanceof CanonicalJson.InvalidJson)) throw error
    return invalid(`$[${index}]${error.path.slice(1)}`, error.problem)
  }
}
