/**
 * Remembers the newest mark of each node, which comes with any of its answers and errors. A first
 * attempt at a write names it; a node whose mark has moved on too far refuses, and gives its new
 * one.
 */
import * as Schema from "effect/Schema"
import type { Sender } from "../../schemas/ClientAnswer.ts"
import { markPattern } from "../../schemas/ClientRequest.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import { NodeId } from "../core/model/Names.ts"

/** Asks a node for its mark. */
const unknown = ""

const isNodeId = Schema.is(NodeId)

export class NodeMarks {
  readonly #limits: Pick<ClientLimits, "marksMax">
  readonly #marks = new Map<NodeId, string>()

  constructor(limits: Pick<ClientLimits, "marksMax">) {
    this.#limits = limits
  }

  /** The newest mark of a node that is known; empty where none is. */
  of(node: NodeId): string {
    return this.#marks.get(node) ?? unknown
  }

  /** Takes the mark that came with a reply. */
  learn({ mark, node }: Sender): void {
    if (!markPattern.test(mark) || !isNodeId(node)) return
    this.#marks.set(node, mark)
    if (this.#marks.size <= this.#limits.marksMax) return
    for (const first of this.#marks.keys()) {
      this.#marks.delete(first)
      return
    }
  }
}
