/**
 * Remembers the last mark that each other node told, to name it in a request to that node.
 */
import type { NodeId } from "../core/model/Names.ts"

/** More nodes than a cluster has; beyond them the one that was not heard longest goes. */
const nodesMax = 1024

export class PeerMarks {
  readonly #marks = new Map<NodeId, string>()

  /** Empty where none is known: a request with that asks for one. */
  get(node: NodeId): string {
    return this.#marks.get(node) ?? ""
  }

  set(node: NodeId, mark: string): void {
    this.#marks.delete(node)
    this.#marks.set(node, mark)
    const [oldest] = this.#marks.keys()
    if (this.#marks.size > nodesMax && oldest !== undefined) this.#marks.delete(oldest)
  }
}
