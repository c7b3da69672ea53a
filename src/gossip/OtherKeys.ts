/**
 * Notes the members whose frames are refused because they have another cluster key. Each side
 * refuses the other's frames, so that both notice.
 */
import type { NodeId } from "../core/model/Names.ts"

export class OtherKeys {
  readonly #isMember: (node: NodeId) => boolean
  readonly #counts = new Map<NodeId, number>()
  readonly #present = new Set<NodeId>()

  constructor(isMember: (node: NodeId) => boolean) {
    this.#isMember = isMember
  }

  /** Notes a frame under another key. Strangers are not noted, of which there is no end. */
  refused(from: NodeId): void {
    if (!this.#isMember(from)) return
    this.#counts.set(from, (this.#counts.get(from) ?? 0) + 1)
    this.#present.add(from)
  }

  /** Notes a frame that was taken: the node has a key of this one. */
  heard(from: NodeId): void {
    this.#present.delete(from)
  }

  /** How many frames of a member were refused. */
  count(node: NodeId): number {
    return this.#counts.get(node) ?? 0
  }

  /** The members whose last frame was refused. */
  present(): ReadonlyArray<NodeId> {
    return [...this.#present].sort()
  }
}
