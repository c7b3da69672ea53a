/**
 * Describes the change of one request as it travels: its deltas, and their *base*, the history
 * that a document needs before it may join them.
 *
 * A context says of an actor A that all its dots up to a counter are here, or superseded. A delta
 * raises it from r to n, the greatest counter of A that the delta mentions: its own dot, a dot that
 * it replaces or ends, an update of a counter that it removes, a vector. After that the context
 * vouches for each dot of A in (r, n]. Let s be how far the document on which the delta was made
 * had come. Dots of A in (s, n] were not in that document, so the delta itself brings or supersedes
 * them, or the document after it would vouch for them in vain. Dots up to s may be missing at a
 * receiver. So the base has, of each actor that is mentioned:
 *
 * ```
 * base[A] = min(s, n)
 * ```
 *
 * *Sufficient*: with r >= min(s, n) each dot in (r, n] is above s. *Necessary*, as far as a sender
 * can tell: the event min(s, n) of A is in the sender's document, and of all that only the sender
 * knows whether other dots lie below it. Where n < s, a receiver that lacks n alone, which the
 * delta replaces, could do with less; to say so, contexts would have to be lists of single dots.
 * Actors that no delta mentions are in no base: their dots are neither brought nor vouched for.
 *
 * But an update of a counter that stands beside a removal brings that too: its base is the whole
 * history of the document, in which the removal's dot is, whichever it is.
 *
 * The deltas of several operations have one base, of the document before the first of them.
 *
 * @see Almeida, Shoker, Baquero: Delta State Replicated Data Types, 2018 (the causal delta-merging
 *   condition, section 6), of which this is the form for contexts that are vectors
 */
import type { Actor, Dot } from "../clock/Dot.ts"
import { indexed, type OnConflict, type Seen } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import * as CounterTotal from "./CounterTotal.ts"
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

type Mention = (actor: Actor, counter: number) => void

const mentionStore = (store: DotStore, mention: Mention): void => {
  switch (store.kind) {
    case "latest":
      return mention(store.actor, store.counter)
    case "values":
      for (const { actor, counter } of store.siblings) mention(actor, counter)
      return
    case "counter":
      for (const [actor, total] of store.totals) mention(actor, CounterTotal.last(total).counter)
      return
    case "tree":
      for (const child of store.children.values()) mentionStore(child, mention)
  }
}

/** The greatest counter of each actor that the deltas mention. */
const mentioned = (deltas: ReadonlyArray<Delta>): VersionVector.VersionVector => {
  const greatest = new Map<Actor, number>()
  const mention: Mention = (actor, counter) => {
    if (counter > (greatest.get(actor) ?? 0)) greatest.set(actor, counter)
  }
  const mentionDot = ({ actor, counter }: Dot) => mention(actor, counter)
  for (const { deferred, ended, expiry, seen, store } of deltas) {
    for (const [actor, counter] of seen.vector) mention(actor, counter)
    seen.dots.forEach(mentionDot)
    ended?.forEach(mentionDot)
    deferred.forEach(mentionDot)
    expiry.forEach(mentionDot)
    if (store !== undefined) mentionStore(store, mention)
  }
  return greatest
}

/** Whether a counter's entry has a removal beside updates, which is another event's and unnamed. */
const hasRemoval = (store: DotStore | undefined): boolean => {
  switch (store?.kind) {
    case "counter":
      for (const { removed, updates } of store.totals.values()) {
        if (removed.counter > 0 && updates.length > 0) return true
      }
      return false
    case "tree":
      for (const child of store.children.values()) if (hasRemoval(child)) return true
      return false
    default:
      return false
  }
}

const bringsRemoval = (deltas: ReadonlyArray<Delta>): boolean =>
  deltas.some(({ store }) => hasRemoval(store))

/**
 * The edit that made deltas, one after the other, on `before`. `settled` is the part of that
 * document's history that its node has stored: of the rest, which a failing disk may take away, a
 * replica that acknowledges the edit must have all, or a client would be shown what nobody keeps.
 */
export const make = (
  deltas: ReadonlyArray<Delta>,
  before: VersionVector.VersionVector,
  settled: VersionVector.VersionVector = before
): Edit => {
  // The dot of such a removal is unknown, but it is in the document: without it a receiver would
  // have the removal of one actor's updates and lack that of the others'.
  if (bringsRemoval(deltas)) return { base: before, deltas }
  const base = new Map<Actor, number>()
  for (const [actor, counter] of mentioned(deltas)) {
    const least = Math.min(counter, before.get(actor) ?? 0)
    if (least > 0) base.set(actor, least)
  }
  if (settled === before) return { base, deltas }
  for (const [actor, counter] of before) {
    if (counter > (settled.get(actor) ?? 0)) base.set(actor, counter)
  }
  return { base, deltas }
}

/** The history that a document with this context has after the edit. */
const contextAfter = (
  context: VersionVector.VersionVector,
  { deltas }: Edit
): VersionVector.VersionVector =>
  deltas.reduce((joined, { seen }) => joinContext(joined, seen), context)

/** Whether a document with this context has an edit already. */
export const isIn = (context: VersionVector.VersionVector, edit: Edit): boolean =>
  VersionVector.covers(context, contextAfter(VersionVector.empty, edit))

/**
 * Of edits in the order in which one replica took them, those that bring a document with this
 * context as far as the last; undefined where they cannot, since it would still lack a base.
 */
export const missing = (
  context: VersionVector.VersionVector,
  edits: ReadonlyArray<Edit>
): ReadonlyArray<Edit> | undefined => {
  const lacked: Array<Edit> = []
  let reached = context
  for (const edit of edits) {
    if (isIn(reached, edit) || !VersionVector.covers(reached, edit.base)) continue
    lacked.push(edit)
    reached = contextAfter(reached, edit)
  }
  const last = edits.at(-1)
  return last === undefined || isIn(reached, last) ? lacked : undefined
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
  for (const delta of deltas) joining.join(delta, onConflict)
  const after = joining.document
  const unchanged = after.context === document.context && after.store === document.store
    && after.deferred === document.deferred && after.expiry === document.expiry
  return unchanged ? document : after
}
