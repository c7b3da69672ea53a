/**
 * Issues the dots of one incarnation after the other: under which actor a change of a document is
 * made, and with which counter.
 *
 * An actor is continued only where this replica holds the document's row intact, with the last dot
 * that the actor made (`LastIssuedDots`); otherwise a new birth begins. Births and counters come
 * from one counter, so that none is issued twice within an incarnation.
 */
import * as Dot from "../core/clock/Dot.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import type { Document } from "../core/crdt/Document.ts"
import * as Incarnation from "../core/model/Incarnation.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { KeyedRow, StorageService } from "../storage/Storage.ts"
import { LastIssuedDots } from "./LastIssuedDots.ts"
import type { LocalDocument, LocalRead } from "./LocalDocument.ts"
import type { Reading } from "./ShownVersions.ts"

export class DotIssuer {
  readonly #runtime: Runtime
  readonly #node: NodeId
  readonly #last: LastIssuedDots
  #incarnation: Incarnation.Incarnation
  /** The beginning of the actors of this incarnation. */
  #beginning: string
  /** The last birth or counter. */
  #issued = 0
  #births = 0

  constructor(options: {
    readonly runtime: Runtime
    readonly node: NodeId
    readonly incarnation: Incarnation.Incarnation
    readonly storage: Pick<StorageService, "readRow">
    readonly limits: Pick<NodeLimits, "lastIssuedDotsMax">
  }) {
    this.#last = new LastIssuedDots({ ...options, salt: options.incarnation })
    this.#runtime = options.runtime
    this.#node = options.node
    this.#incarnation = options.incarnation
    this.#beginning = Dot.beginningOf(this.#self())
  }

  get incarnation(): Incarnation.Incarnation {
    return this.#incarnation
  }

  /** Actors begun, documents of which memory has the last dot, and leaves read for others. */
  get counts() {
    const { leafReads, size } = this.#last
    return { births: this.#births, lastDots: size, leafReads }
  }

  /** The actor for the next change of a document that is held like this. */
  actorFor(key: RowKey, local: LocalRead): Dot.Actor {
    const continues = local._tag === "Found" && this.made(local.own)
    const told = continues ? this.#last.holdsLast(key, local) : "not"
    if (told === "by leaf") this.#runtime.mark("replica: a leaf tells that a row has its last dot")
    if (continues && told !== "not") return local.own
    this.#births++
    if (local._tag === "Damaged") this.#runtime.mark("replica: a birth after a damaged row")
    if (continues) this.#runtime.mark("replica: a birth because a row may be an old one")
    return Dot.actor({ ...this.#self(), birth: ++this.#issued })
  }

  /**
   * The actor of a row on which a join is written; empty where the row may be an old one. The leaf
   * that goes with the join would say that it is not, and the actor would be continued.
   */
  keptActor(key: RowKey, local: LocalDocument): Dot.Actor {
    const { own } = local
    return this.made(own) && this.#last.holdsLast(key, local) === "not" ? "" : own
  }

  /** The next dot of an actor. */
  next(actor: Dot.Actor): Dot.Dot {
    return { actor, counter: ++this.#issued }
  }

  /** Whether no dot that an actor has yet to make is in a document, or in a client's history. */
  isNew(
    actor: Dot.Actor,
    { context, deferred }: Document,
    seen = VersionVector.empty
  ): boolean {
    const next = this.#issued + 1
    return !VersionVector.contains(context, actor, next)
      && !VersionVector.contains(seen, actor, next)
      && !deferred.some((deferral) => VersionVector.contains(deferral.seen, actor, next))
  }

  /** Rows to be written with a version of a document of which this replica has this actor. */
  rowsWith(key: RowKey, actor: Dot.Actor, document: Document): ReadonlyArray<KeyedRow> {
    return this.made(actor) ? this.#last.rowsWith(key, document) : []
  }

  /** Notes the last dot that a document has of the actor it was changed under. */
  issued(key: RowKey, actor: Dot.Actor, document: Document): void {
    this.#last.made(key, document, actor)
  }

  /** Whether an actor is one of the present incarnation. */
  made(actor: Dot.Actor): boolean {
    return actor.startsWith(this.#beginning)
  }

  /**
   * Whether a session has seen dots of this incarnation that the newest row here does not have: the
   * disk lost them. A damaged row may still be mended, and tells nothing.
   */
  hasForgotten({ after, newest }: Pick<Reading, "after" | "newest">): boolean {
    if (after.size === 0 || newest._tag === "Damaged") return false
    const context = newest._tag === "Found" ? newest.document.context : VersionVector.empty
    for (const [actor, counter] of after) {
      if (this.made(actor) && !VersionVector.contains(context, actor, counter)) return true
    }
    return false
  }

  /** Begins another incarnation: dots of this one may have been sent and not stored. */
  endIncarnation(): void {
    const { id, now } = this.#runtime
    this.#incarnation = Incarnation.next({ previous: this.#incarnation, now: now(), id: id() })
    this.#beginning = Dot.beginningOf(this.#self())
    this.#issued = 0
    this.#last.clear()
  }

  #self() {
    return { node: this.#node, incarnation: this.#incarnation }
  }
}
