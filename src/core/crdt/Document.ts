/**
 * Describes the state of one document at one replica, and joins the states of two replicas.
 *
 * A document is a causal context and a state; a tombstone has the context and nothing live. Beside
 * them stand removals that wait for the dots they had seen, and an expiry.
 */
import type { Dot } from "../clock/Dot.ts"
import * as DottedVersionVectorSet from "../clock/DottedVersionVectorSet.ts"
import type { OnConflict, Seen } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { invariant } from "../Invariant.ts"
import { at, type DotStore } from "./DotStore.ts"
import * as Expiry from "./Expiry.ts"
import { joinStores } from "./Join.ts"
import { compareDeferrals, type Deferral, removeDeferred } from "./Removal.ts"
import { TreeEdit } from "./TreeEdit.ts"

export interface Document {
  readonly context: VersionVector.VersionVector
  /** Undefined: no entries. */
  readonly store: DotStore | undefined
  /** Invariant: sorted by dot; each had seen more than `context`. */
  readonly deferred: ReadonlyArray<Deferral>
  readonly expiry: Expiry.Expiry
}

/** The change of one operation: a state whose context is named dots, and sometimes a vector. */
export interface Delta {
  readonly seen: Seen
  /**
   * Where the change is: its state says nothing beside this path, and the dots that it replaces
   * stand at or below it. Absent where it may concern the whole document.
   */
  readonly path?: ReadonlyArray<string>
  readonly store: DotStore | undefined
  readonly deferred: ReadonlyArray<Deferral>
  /** An entry where the operation sets or lifts the expiry; its dot is among those of `seen`. */
  readonly expiry: Expiry.Expiry
  /** Deferrals that it ends, though their dots are not here: these are surely gone. */
  readonly ended?: ReadonlyArray<Dot>
}

const none: ReadonlyArray<never> = []

export const empty: Document = {
  context: VersionVector.empty,
  store: undefined,
  deferred: none,
  expiry: Expiry.none
}

/** The context after a delta: named dots count as everything before them (see `VersionVector`). */
export const joinContext = (
  context: VersionVector.VersionVector,
  seen: Seen
): VersionVector.VersionVector => {
  let joined = VersionVector.join(context, seen.vector)
  for (const dot of seen.dots) joined = VersionVector.withDot(joined, dot)
  return joined
}

/**
 * A deferral ends as its dots arrive. One that waits for dots which are surely gone is ended by its
 * own dot, as a sibling is: the side that has seen it and lacks it has ended it. The change that
 * made it may have made a value under the same dot; to replace that value ends no deferral.
 */
export const joinDeferred = (
  left: ReadonlyArray<Deferral>,
  leftSeen: Seen,
  right: ReadonlyArray<Deferral>,
  rightSeen: Seen,
  { context, onConflict }: {
    readonly context: VersionVector.VersionVector
    readonly onConflict: OnConflict
  }
): ReadonlyArray<Deferral> => {
  if (left.length === 0 && right.length === 0) return left
  const content = { compare: compareDeferrals, onConflict }
  const joined = DottedVersionVectorSet.join(left, leftSeen, right, rightSeen, content)
  const waits = (deferral: Deferral) => !VersionVector.covers(context, deferral.seen)
  if (joined.every(waits)) return joined
  return joined.filter(waits)
}

/**
 * Both sides' removals, whether they wait on or end here: each still removes the dots it had seen.
 */
const applyDeferrals = (
  store: DotStore | undefined,
  left: ReadonlyArray<Deferral>,
  right: ReadonlyArray<Deferral>
): DotStore | undefined => {
  if (left.length + right.length === 0) return store
  const edit = new TreeEdit(store)
  removeDeferred(edit, left)
  removeDeferred(edit, right)
  return edit.store
}

const joinWith = (
  left: Document,
  right: Delta,
  endedSeen: Seen,
  onConflict?: OnConflict
): Document => {
  const context = joinContext(left.context, right.seen)
  const leftSeen = { vector: left.context, dots: none }
  const { path = none } = right
  const edit = new TreeEdit(left.store)
  const joinedThere = joinStores(
    { store: edit.at(path), seen: leftSeen },
    { store: at(right.store, path), seen: right.seen },
    onConflict
  )
  edit.put(path, joinedThere)
  const store = applyDeferrals(edit.store, left.deferred, right.deferred)
  const deferred = joinDeferred(left.deferred, leftSeen, right.deferred, endedSeen, {
    context,
    onConflict
  })
  const expiry = Expiry.join(left.expiry, leftSeen, right.expiry, right.seen, onConflict)
  const unchanged = context === left.context && store === left.store
    && deferred === left.deferred && expiry === left.expiry
  return unchanged ? left : { context, store, deferred, expiry }
}

/**
 * Whether joining them discards a last write that the other one's writer had not seen: two wrote
 * at once, and one of them is lost.
 */
export const discards = (left: Document, right: Document): boolean => {
  const [mine, other] = [left.store, right.store]
  if (mine?.kind !== "latest" || other?.kind !== "latest") return false
  return !VersionVector.contains(right.context, mine.actor, mine.counter)
    && !VersionVector.contains(left.context, other.actor, other.counter)
}

/** Whether two documents can be joined: their roots are of one kind, or one has no entries. */
export const canJoin = (left: Document, right: Document): boolean => canHold(left, right.store)

/** The same of a state that has no document. */
export const canHold = ({ store }: Document, other: DotStore | undefined): boolean =>
  store === undefined || other === undefined || store.kind === other.kind

/**
 * The least document that contains both. Returns `left` itself where `right` adds nothing, and
 * `right` itself where `left` adds nothing, as far as that is seen without comparing leaves.
 *
 * Where a dot has one content on the left and another one on the right, which only a broken promise
 * makes, the greater content stays, on every replica alike.
 *
 * **Guarantees** commutative, associative, idempotent.
 *
 * **Requires** `canJoin`.
 */
export const join = (left: Document, right: Document): Document => joinTelling(left, right)

/** `join`, which tells of dots whose content differs. */
export const joinTelling = (
  left: Document,
  right: Document,
  onConflict?: OnConflict
): Document => {
  if (left === right) return left
  const seen = { vector: right.context, dots: none }
  const { deferred, expiry, store } = right
  const joined = joinWith(left, { seen, store, deferred, expiry }, seen, onConflict)
  const isRight = joined.context === right.context && joined.store === right.store
    && joined.expiry === right.expiry
    && joined.deferred.length + right.deferred.length === 0
  return isRight ? right : joined
}

/**
 * The document after an operation.
 *
 * **Requires** that `delta` was made on this document, or on one that its context covers.
 */
export const apply = (document: Document, delta: Delta): Document =>
  joinWith(document, delta, { vector: VersionVector.empty, dots: delta.ended ?? [] })

/**
 * `delta`, which makes `dot` on `document`, as a change that also sets the expiry to `at`, or with
 * null lifts it: it replaces every entry that `document` holds.
 */
export const withExpiry = (
  delta: Delta,
  options: { readonly document: Document; readonly dot: Dot; readonly at: number | null }
): Delta => {
  const { at, document, dot: { actor, counter } } = options
  const isTime = at === null || (Number.isSafeInteger(at) && at >= 0)
  invariant(isTime, "an expiry is a whole number of milliseconds since 1970")
  return {
    ...delta,
    seen: { ...delta.seen, dots: [...document.expiry, ...delta.seen.dots] },
    expiry: [{ actor, counter, at }]
  }
}

/** When the document ends by itself, in milliseconds since 1970; undefined where it does not. */
export const expiresAt = ({ expiry }: Document): number | undefined => Expiry.expiresAt(expiry)

/** The state that a reader may see at `nowMillis`: none from the moment of the expiry on. */
export const visibleStore = (document: Document, nowMillis: number): DotStore | undefined => {
  const at = expiresAt(document)
  return at !== undefined && at <= nowMillis ? undefined : document.store
}
