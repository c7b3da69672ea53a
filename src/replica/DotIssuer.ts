/**
 * Issues the dots of one incarnation after the other: under which actor a change of a document is
 * made, and with which counter.
 *
 * An actor is continued only where this replica holds the document's row intact, with the last dot
 * that the actor made; otherwise a new birth begins. Births and counters come from one counter, so
 * that none is issued twice within an incarnation.
 */
import * as Dot from "../core/clock/Dot.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import type { Document } from "../core/crdt/Document.ts"
import * as Incarnation from "../core/model/Incarnation.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Runtime } from "../core/Runtime.ts"
import { LastIssuedDots } from "./LastIssuedDots.ts"
import type { LocalRead } from "./LocalDocument.ts"
import type { Reading } from "./ShownVersions.ts"

export class DotIssuer {
  readonly #runtime: Runtime
  readonly #node: NodeId
  readonly #last: LastIssuedDots
  #incarnation: Incarnation.Incarnation
  /** The last birth or counter. */
  #issued = 0
  #births = 0

  constructor(options: {
    readonly runtime: Runtime
    readonly node: NodeId
    readonly incarnation: Incarnation.Incarnation
    readonly limits: Pick<NodeLimits, "lastIssuedDotsMax">
  }) {
    this.#last = new LastIssuedDots(options.limits)
    this.#runtime = options.runtime
    this.#node = options.node
    this.#incarnation = options.incarnation
  }

  get incarnation(): Incarnation.Incarnation {
    return this.#incarnation
  }

  /** Actors begun. */
  get births(): number {
    return this.#births
  }

  /** The actor for the next change of a document that is held like this. */
  actorFor(key: RowKey, local: LocalRead): Dot.Actor {
    const continues = local._tag === "Found" && this.made(local.own)
    if (continues && this.#last.mayContinue(key, local)) return local.own
    this.#births++
    if (local._tag === "Damaged") this.#runtime.mark("replica: a birth after a damaged row")
    if (continues) this.#runtime.mark("replica: a birth because a row may be an old one")
    return Dot.actor({ ...this.#self(), birth: ++this.#issued })
  }

  /** The next dot of an actor. */
  next(actor: Dot.Actor): Dot.Dot {
    return { actor, counter: ++this.#issued }
  }

  /** Notes the last dot that a document has of the actor it was changed under. */
  issued(key: RowKey, actor: Dot.Actor, { context }: Document): void {
    this.#last.made(key, actor, context.get(actor)!)
  }

  /** Whether an actor is one of the present incarnation. */
  made(actor: Dot.Actor): boolean {
    return Dot.isActorOf(actor, this.#self())
  }

  /**
   * Whether a session has seen dots of this incarnation that the newest row here does not have: the
   * disk lost them. A damaged row may still be mended, and tells nothing.
   */
  hasForgotten({ after, newest }: Pick<Reading, "after" | "newest">): boolean {
    if (newest._tag === "Damaged") return false
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
    this.#issued = 0
    this.#last.clear()
  }

  #self() {
    return { node: this.#node, incarnation: this.#incarnation }
  }
}
