/**
 * Remembers for one read which history the document of each replica has, and the changes that
 * replicas sent in place of their documents: so that those which lack some are repaired by these.
 */
import type { FetchedSince } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as DeltaCodec from "../core/crdt/DeltaCodec.ts"
import type { Document } from "../core/crdt/Document.ts"
import type { NodeId } from "../core/model/Names.ts"
import { type ArrivedEdits, joinEdits } from "../replica/Arrival.ts"

export class ReplicaHistories {
  /** Made when there is something to remember: most reads find nothing. */
  #histories: Map<NodeId, VersionVector.VersionVector> | undefined
  #changes: ReadonlyArray<ArrivedEdits> = []

  /** Notes the history of a node's document. */
  add(node: NodeId, history: VersionVector.VersionVector): void {
    this.#histories = (this.#histories ?? new Map()).set(node, history)
  }

  of(node: NodeId): VersionVector.VersionVector | undefined {
    return this.#histories?.get(node)
  }

  /** Changes that replicas have sent. */
  get changes(): ReadonlyArray<ArrivedEdits> {
    return this.#changes
  }

  /**
   * The document after the changes that a replica has sent for it, which are all that it has
   * beyond the document; undefined where they are not.
   */
  take(
    node: NodeId,
    document: Document,
    { context, edits: bytes }: FetchedSince
  ): Document | undefined {
    if (bytes.length === 0) {
      if (!VersionVector.covers(document.context, context)) return undefined
      this.add(node, context)
      return document
    }
    const arrived = arrivedOf(bytes)
    if (arrived === undefined) return undefined
    const joined = joinEdits(document, arrived, () => {})
    if (joined._tag !== "Document") return undefined
    const whole = VersionVector.join(document.context, context)
    if (VersionVector.compare(joined.document.context, whole) !== "equal") return undefined
    this.add(node, context)
    this.#changes = [...this.#changes, arrived]
    return joined.document
  }
}

const arrivedOf = (bytes: Uint8Array): ArrivedEdits | undefined => {
  try {
    // The bytes of the message are those of its frame, which is used again.
    return { edits: DeltaCodec.decode(bytes), bytes: bytes.slice() }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return undefined
  }
}
