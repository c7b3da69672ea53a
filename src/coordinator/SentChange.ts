/**
 * Chooses the message by which each replica is told of a write: the change alone; to a replica that
 * lacks its base the changes before it too, as far as they are remembered; else the document.
 */
import type { Store, StoreDelta } from "../../schemas/PeerMessage.ts"
import type { Dot } from "../core/clock/Dot.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Updated } from "../replica/Update.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { deltaMessage, storeMessage } from "./StoreMessage.ts"
import type { ValidatedWrite } from "./ValidatedRequest.ts"

type Change = Extract<Updated, { readonly _tag: "Updated" }>

type Services = Pick<CoordinatorContext, "documentsUnderWay" | "replica" | "runtime">

export class SentChange {
  readonly #context: Services
  readonly #write: ValidatedWrite
  readonly #change: Change
  readonly #stored: Pick<Store, "operation" | "request" | "sync">
  readonly #first: Store | StoreDelta
  /** For those that lack the base of the change; made for the first of them. */
  #supplied: Map<NodeId, Store | StoreDelta> | undefined
  #whole: Store | undefined

  constructor(
    context: Services,
    write: ValidatedWrite,
    { change, request }: { readonly change: Change; readonly request: number }
  ) {
    this.#context = context
    this.#write = write
    this.#change = change
    const operation: { readonly id: NonNullable<typeof write.id>; readonly dot: Dot } | undefined =
      write.id && { id: write.id, dot: change.dot }
    this.#stored = { request, sync: write.sync, operation }
    const { edit } = change
    this.#first = edit === undefined
      ? this.#document()
      : deltaMessage(write, { ...this.#stored, edits: edit.bytes })
  }

  /** The message for a node; the same one whenever it is sent again. */
  to(node: NodeId): Store | StoreDelta {
    return this.#supplied?.get(node) ?? this.#first
  }

  /** Bytes that it keeps in memory. */
  get bytes(): number {
    const { edit, encoded } = this.#change
    return (edit?.bytes ?? encoded.bytes).length
  }

  /**
   * Notes that a node lacks the base of the change, and says whether it is to be sent something
   * else now: first the changes before it, where these are remembered, and then the document. One
   * that asks for more cannot be helped at once, but by the next sending; nor can one to which
   * another write is sending the document.
   */
  lacksBase(node: NodeId, context: VersionVector.VersionVector): boolean {
    const supplied = this.#supplied ??= new Map()
    const before = supplied.get(node)
    if (before?._tag === "Store") return false
    const changes = before === undefined ? this.#missing(context) : undefined
    const { documentsUnderWay, runtime } = this.#context
    if (changes !== undefined) {
      runtime.mark("write: a replica without the base gets the changes before it")
      supplied.set(node, changes)
      return true
    }
    if (!documentsUnderWay.begin(node, this.#write.row, this.#stored.request)) {
      runtime.mark("write: the document is on its way to a replica without the base")
      return false
    }
    runtime.mark("write: a replica without the base gets the document")
    supplied.set(node, this.#document())
    return true
  }

  /** Notes that a node has answered, or that nothing is expected of it any more. */
  answered(node: NodeId): void {
    if (this.#supplied?.get(node)?._tag !== "Store") return
    this.#context.documentsUnderWay.end(node, this.#write.row, this.#stored.request)
  }

  /** Notes that no answers are expected any more. */
  end(): void {
    for (const node of this.#supplied?.keys() ?? []) this.answered(node)
  }

  #missing(context: VersionVector.VersionVector): StoreDelta | undefined {
    const { edit } = this.#change
    // A replica that has the base and asks for it cannot read its document.
    if (edit === undefined || VersionVector.covers(context, edit.edit.base)) return undefined
    const edits = this.#context.replica.edits.missing(this.#write.row, edit, context)
    return edits && deltaMessage(this.#write, { ...this.#stored, edits })
  }

  #document(): Store {
    const document = this.#change.encoded.bytes
    return this.#whole ??= storeMessage(this.#write, { ...this.#stored, document })
  }
}
