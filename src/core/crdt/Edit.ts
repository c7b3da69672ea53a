/**
 * Describes the change of one request as it travels: its deltas, and their *base*, the history
 * that a document needs before it may join them.
 *
 * The base is all that the document had on which the deltas were made. Less would do for the
 * invariant of contexts: of the actors that the deltas mention, what was there before. But a change
 * does not bring what made it small. A removal brings nothing of an update that is removed there
 * already, though its client had seen it; a replica that lacks the earlier removal and joins the
 * later one would show what that had seen.
 *
 * @see Almeida, Shoker, Baquero: Delta State Replicated Data Types, 2018 (the causal delta-merging
 *   condition, section 6)
 */
import { indexed, type OnConflict, type Seen } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { type Delta, type Document, joinContext, joinDeferred } from "./Document.ts"
import { at, type DotStore } from "./DotStore.ts"
import * as Expiry from "./Expiry.ts"
import { joinStores } from "./Join.ts"
import { removeDeferred } from "./Removal.ts"
import { TreeEdit } from "./TreeEdit.ts"

export interface Edit {
  /** A document that covers this may join the deltas. */
  readonly base: VersionVector.VersionVector
  /** In the order in which they were made; each is joined to what those before it made. */
  readonly deltas: ReadonlyArray<Delta>
}

/** The edit that made deltas, one after the other, on a document with this context. */
export const make = (
  deltas: ReadonlyArray<Delta>,
  before: VersionVector.VersionVector
): Edit => ({ base: before, deltas })

const nothing: Delta = {
  seen: { vector: VersionVector.empty, dots: [] },
  path: [],
  store: undefined,
  deferred: [],
  expiry: Expiry.none
}

/** The edit that changes nothing, which only a document that covers this context may join. */
export const confirming = (context: VersionVector.VersionVector): Edit => ({
  base: context,
  deltas: [nothing]
})

const isNothing = ({ deferred, ended, expiry, seen, store }: Delta): boolean =>
  store === undefined && seen.dots.length === 0 && seen.vector.size === 0
  && deferred.length === 0 && expiry.length === 0 && (ended ?? []).length === 0

/** The history that a document with this context has after the edit. */
export const contextAfter = (
  context: VersionVector.VersionVector,
  { deltas }: Edit
): VersionVector.VersionVector =>
  deltas.reduce((joined, { seen }) => joinContext(joined, seen), context)

/** Whether a document with this context has an edit already, and so its base. */
export const isIn = (context: VersionVector.VersionVector, edit: Edit): boolean =>
  VersionVector.covers(context, contextAfter(edit.base, edit))

/**
 * Of edits in the order in which one replica took them, those that bring a document with this
 * context as far as `to`, and add nothing beyond; undefined where they do not bring it there.
 */
export const missing = (
  context: VersionVector.VersionVector,
  edits: ReadonlyArray<Edit>,
  to: VersionVector.VersionVector
): ReadonlyArray<Edit> | undefined => {
  const lacked: Array<Edit> = []
  let reached = context
  for (const edit of edits) {
    const isLacked = isIn(to, edit) && !isIn(reached, edit)
    if (!isLacked || !VersionVector.covers(reached, edit.base)) continue
    lacked.push(edit)
    reached = contextAfter(reached, edit)
  }
  return VersionVector.covers(reached, to) ? lacked : undefined
}

/** A delta's state without the values that removals which wait in the document have seen. */
const withoutDeferred = (
  store: DotStore | undefined,
  { deferred }: Pick<Document, "deferred">
): DotStore | undefined => {
  if (store === undefined || deferred.length === 0) return store
  const edit = new TreeEdit(store)
  removeDeferred(edit, deferred)
  return edit.store
}

/** One document, while deltas are joined into it along their paths. */
class Joining {
  readonly #edit: TreeEdit
  #context: VersionVector.VersionVector
  #deferred: Document["deferred"]
  #expiry: Expiry.Expiry

  constructor(before: Document) {
    this.#edit = new TreeEdit(before.store)
    this.#context = before.context
    this.#deferred = before.deferred
    this.#expiry = before.expiry
  }

  join(delta: Delta, onConflict: OnConflict): void {
    const { path = [] } = delta
    const mySeen: Seen = { vector: this.#context, dots: [] }
    const seen = indexed(delta.seen)
    const store = withoutDeferred(delta.store, { deferred: this.#deferred })
    const joined = joinStores(
      { store: this.#edit.at(path), seen: mySeen },
      { store: at(store, path), seen },
      onConflict
    )
    this.#edit.put(path, joined)
    removeDeferred(this.#edit, delta.deferred)
    this.#expiry = Expiry.join(this.#expiry, mySeen, delta.expiry, seen, onConflict)
    this.#context = joinContext(this.#context, delta.seen)
    const endedSeen = indexed({ vector: VersionVector.empty, dots: delta.ended ?? [] })
    this.#deferred = joinDeferred(this.#deferred, mySeen, delta.deferred, endedSeen, {
      context: this.#context,
      onConflict
    })
  }

  get document(): Document {
    return {
      context: this.#context,
      store: this.#edit.store,
      deferred: this.#deferred,
      expiry: this.#expiry
    }
  }
}

/**
 * The document after an edit that was made on another replica: `Document.apply` of each delta, at
 * the cost of what they touch. Returns `document` itself where nothing changes.
 *
 * **Requires** that its context covers the base, that it can be joined with the deltas' states, and
 * that no delta says anything beside its path.
 */
export const apply = (document: Document, { deltas }: Edit, onConflict?: OnConflict): Document => {
  const joining = new Joining(document)
  for (const delta of deltas) if (!isNothing(delta)) joining.join(delta, onConflict)
  const after = joining.document
  const unchanged = after.context === document.context && after.store === document.store
    && after.deferred === document.deferred && after.expiry === document.expiry
  return unchanged ? document : after
}
