/**
 * Joins the deltas of one edit into a document, one after the other, each along its path: an
 * operation sees the effect of those before it, and an edit costs what it touches, and a copy of
 * the trees on the way, once.
 *
 * `Document.apply` says the same in plain words, and looks at the whole document for each delta: a
 * thousand additions to a set of ten thousand would look at ten million elements.
 */
import { compareDots, type Dot } from "../clock/Dot.ts"
import { hasSeen, indexed, type Seen } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { invariant } from "../Invariant.ts"
import type { Delta, Document } from "./Document.ts"
import { at, type DotStore } from "./DotStore.ts"
import * as Expiry from "./Expiry.ts"
import { joinStores } from "./Join.ts"
import { type Deferral, removeDeferred } from "./Removal.ts"
import { TreeEdit } from "./TreeEdit.ts"

const root: ReadonlyArray<string> = []
const noDots: ReadonlyArray<Dot> = []

/** Whether a delta says nothing beside `path`. */
const isAlong = (store: DotStore | undefined, path: ReadonlyArray<string>): boolean => {
  if (store === undefined) return true
  let here: DotStore | undefined = store
  for (const key of path) {
    if (here?.kind !== "tree" || here.children.size !== 1) return false
    here = here.children.get(key)
  }
  return here !== undefined
}

export class DeltaJoin {
  readonly #before: Document
  #context: VersionVector.VersionVector
  /** The context, once it is this join's own. */
  #ownContext: Map<string, number> | undefined
  /** The last whole history that the context has taken up. */
  #taken: VersionVector.VersionVector = VersionVector.empty
  readonly #edit: TreeEdit
  readonly #deferred: Array<Deferral> = []
  /** Of deferrals that are over, though their dots have not come. */
  readonly #ended: Array<Dot> = []
  #expiry: Expiry.Expiry

  constructor(before: Document) {
    this.#before = before
    this.#context = before.context
    this.#edit = new TreeEdit(before.store)
    this.#expiry = before.expiry
  }

  /** The document so far, for the next operation to look at: the next delta may change it. */
  get document(): Document {
    return this.#with(this.#before.deferred)
  }

  /**
   * Joins the delta of the next operation.
   *
   * **Requires** that it was made on `document`, that its dots are new there, and that it says
   * nothing beside its path.
   */
  add(delta: Delta): void {
    const { path = root, store } = delta
    invariant(isAlong(store, path), "a delta says nothing beside its path")
    const mySeen: Seen = { vector: this.#context, dots: noDots }
    const seen = indexed(delta.seen)
    const joined = joinStores(
      { store: this.#edit.at(path), seen: mySeen },
      { store: at(store, path), seen }
    )
    this.#edit.put(path, joined)
    for (const deferral of delta.deferred) this.#deferred.push(deferral)
    for (const dot of delta.ended ?? noDots) this.#ended.push(dot)
    removeDeferred(this.#edit, delta.deferred)
    this.#expiry = Expiry.join(this.#expiry, mySeen, delta.expiry, seen)
    this.#see(delta.seen)
  }

  /** The document after all of them; nothing may be added any more. */
  finish(): Document {
    const { context: known, deferred } = this.#before
    if (this.#context === known) return this.#before
    if (deferred.length + this.#deferred.length === 0) return this.#with(deferred)
    const ended = indexed({ vector: VersionVector.empty, dots: this.#ended })
    const waits = ({ actor, counter, seen }: Deferral) =>
      !hasSeen(ended, actor, counter) && !VersionVector.covers(this.#context, seen)
    const waiting = [...deferred, ...this.#deferred].filter(waits)
    const isSame = waiting.length === deferred.length && this.#deferred.length === 0
    return this.#with(isSame ? deferred : waiting.sort(compareDots))
  }

  #with(deferred: Document["deferred"]): Document {
    return { context: this.#context, store: this.#edit.store, deferred, expiry: this.#expiry }
  }

  #see({ dots, vector }: Seen): void {
    if (vector !== this.#taken && vector !== this.#context) {
      for (const [actor, counter] of vector) this.#seeDot(actor, counter)
      this.#taken = vector
    }
    for (const { actor, counter } of dots) this.#seeDot(actor, counter)
  }

  #seeDot(actor: string, counter: number): void {
    if (VersionVector.contains(this.#context, actor, counter)) return
    this.#ownContext ??= new Map(this.#context)
    this.#ownContext.set(actor, counter)
    this.#context = this.#ownContext
  }
}
