/**
 * Describes the state of one document at one replica, and joins the states of two replicas.
 *
 * A document is a causal context and a state; a tombstone has the context and nothing live. Beside
 * them stand removals that wait for the dots they had seen, an expiry, and the ids of recent
 * operations, so that a retry is answered from the document wherever the first attempt is known.
 */
import type { Dot } from "../clock/Dot.ts"
import { compareDots } from "../clock/Dot.ts"
import type { Seen } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { invariant } from "../Invariant.ts"
import type { DotStore } from "./DotStore.ts"
import * as Expiry from "./Expiry.ts"
import { joinStores } from "./Join.ts"
import { type Deferral, removeDeferred } from "./Removal.ts"
import { TreeEdit } from "./TreeEdit.ts"

/** Names one operation of one client, so that a retry can be told from a second operation. */
export interface OperationId {
  readonly session: string
  readonly sequence: number
  /** When the client issued it, in milliseconds since 1970. */
  readonly at: number
}

/** An operation that was applied, with the last dot it made. */
export interface AppliedId extends OperationId, Dot {}

export interface Document {
  readonly context: VersionVector.VersionVector
  /** Undefined: no entries. */
  readonly store: DotStore | undefined
  /** Invariant: sorted by dot; each had seen more than `context`. */
  readonly deferred: ReadonlyArray<Deferral>
  readonly expiry: Expiry.Expiry
  /** Invariant: sorted by `compareIds`, at most `idsMax`. */
  readonly ids: ReadonlyArray<AppliedId>
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
  readonly ids: ReadonlyArray<AppliedId>
}

export const empty: Document = {
  context: VersionVector.empty,
  store: undefined,
  deferred: [],
  expiry: Expiry.none,
  ids: []
}

/** Most ids that a document carries; beyond, the oldest go, and their retries may apply again. */
export const idsMax = 256

/** Ids younger than this are answered; older ones are refused as too old to tell. */
export const idRefusedAfterMillis = 10 * 60_000

/** Ids are kept twice as long as they are accepted, so that clocks may differ by as much. */
export const idKeptMillis = 2 * idRefusedAfterMillis

/** Orders by time of issue, so that the oldest come first. */
export const compareIds = (left: AppliedId, right: AppliedId): number => {
  if (left.at !== right.at) return left.at - right.at
  if (left.session !== right.session) return left.session < right.session ? -1 : 1
  return left.sequence - right.sequence || compareDots(left, right)
}

/** Whether `ids` has all of `some`; both are sorted. */
const includesAll = (ids: ReadonlyArray<AppliedId>, some: ReadonlyArray<AppliedId>): boolean => {
  if (some.length > ids.length) return false
  let i = 0
  for (const id of some) {
    while (i < ids.length && compareIds(ids[i]!, id) < 0) i++
    if (i === ids.length || compareIds(ids[i]!, id) > 0) return false
  }
  return true
}

const joinIds = (
  left: ReadonlyArray<AppliedId>,
  right: ReadonlyArray<AppliedId>
): ReadonlyArray<AppliedId> => {
  if (left === right || includesAll(left, right)) return left
  if (includesAll(right, left)) return right
  const all: Array<AppliedId> = []
  for (let i = 0, j = 0; i < left.length || j < right.length;) {
    const order = i === left.length ? 1 : j === right.length ? -1 : compareIds(left[i]!, right[j]!)
    all.push(order <= 0 ? left[i]! : right[j]!)
    if (order <= 0) i++
    if (order >= 0) j++
  }
  const kept = all.slice(-idsMax)
  // Where only older ids were missing, nothing changes.
  return kept.length === left.length && kept.every((id, i) => id === left[i]) ? left : kept
}

/** `document` with one more operation on its list. */
export const withId = (document: Document, id: AppliedId): Document => ({
  ...document,
  ids: joinIds(document.ids, [id])
})

/** `document` without the ids that are past keeping; the moment may differ between replicas. */
export const withoutOldIds = (document: Document, nowMillis: number): Document => {
  const oldest = nowMillis - idKeptMillis
  if (document.ids.every((id) => id.at >= oldest)) return document
  return { ...document, ids: document.ids.filter((id) => id.at >= oldest) }
}

/** The entry of an operation that this document knows, or undefined. */
export const findId = (document: Document, id: OperationId): AppliedId | undefined =>
  document.ids.find((known) => known.sequence === id.sequence && known.session === id.session)

/** The context after a delta: named dots count as everything before them (see `VersionVector`). */
const joinContext = (
  context: VersionVector.VersionVector,
  seen: Seen
): VersionVector.VersionVector => {
  let joined = VersionVector.join(context, seen.vector)
  for (const dot of seen.dots) joined = VersionVector.withDot(joined, dot)
  return joined
}

const nameOf = ({ actor, counter }: Dot): string => `${actor} ${counter}`

const joinDeferred = (
  left: ReadonlyArray<Deferral>,
  right: ReadonlyArray<Deferral>,
  context: VersionVector.VersionVector
): ReadonlyArray<Deferral> => {
  if (left.length === 0 && right.length === 0) return left
  const waits = (deferral: Deferral) => !VersionVector.covers(context, deferral.seen)
  const known = new Set(left.map(nameOf))
  const isMissing = (deferral: Deferral) => !known.has(nameOf(deferral))
  const waiting = left.filter(waits)
  const missing = right.filter((deferral) => waits(deferral) && isMissing(deferral))
  if (missing.length === 0 && waiting.length === left.length) return left
  return [...waiting, ...missing].sort(compareDots)
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

const joinWith = (left: Document, right: Delta): Document => {
  const context = joinContext(left.context, right.seen)
  const leftSeen = { vector: left.context, dots: [] }
  const joined = joinStores(
    { store: left.store, seen: leftSeen },
    { store: right.store, seen: right.seen }
  )
  const store = applyDeferrals(joined, left.deferred, right.deferred)
  const deferred = joinDeferred(left.deferred, right.deferred, context)
  const expiry = Expiry.join(left.expiry, leftSeen, right.expiry, right.seen)
  const ids = joinIds(left.ids, right.ids)
  const unchanged = context === left.context && store === left.store
    && deferred === left.deferred && expiry === left.expiry && ids === left.ids
  return unchanged ? left : { context, store, deferred, expiry, ids }
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
export const canJoin = (left: Document, right: Document): boolean =>
  left.store === undefined || right.store === undefined || left.store.kind === right.store.kind

/**
 * The least document that contains both. Returns `left` itself where `right` adds nothing, and
 * `right` itself where `left` adds nothing, as far as that is seen without comparing leaves.
 *
 * **Guarantees** commutative, associative, idempotent.
 *
 * **Requires** `canJoin`.
 */
export const join = (left: Document, right: Document): Document => {
  if (left === right) return left
  const joined = joinWith(left, { ...right, seen: { vector: right.context, dots: [] } })
  const isRight = joined.context === right.context && joined.store === right.store
    && joined.expiry === right.expiry && joined.ids === right.ids
    && joined.deferred.length + right.deferred.length === 0
  return isRight ? right : joined
}

/**
 * The document after an operation.
 *
 * **Requires** that `delta` was made on this document, or on one that its context covers.
 */
export const apply = (document: Document, delta: Delta): Document => joinWith(document, delta)

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
