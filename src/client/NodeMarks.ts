/**
 * Remembers the newest mark of each node, which comes with any of its answers and errors. A first
 * attempt at a write names it; a node whose mark has moved on too far refuses, and gives its new
 * one.
 *
 * A node that has said nothing for a while may hang. A write that it gets under its mark may be
 * carried out once it goes on, and nobody could tell the client until then; asked for its mark
 * alone, it does nothing. So a mark counts only for a short time after the node's last answer.
 */
import * as Schema from "effect/Schema"
import type { Sender } from "../../schemas/ClientAnswer.ts"
import { markPattern } from "../../schemas/ClientRequest.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"

/** Asks a node for its mark. */
const unknown = ""

const isNodeId = Schema.is(NodeId)

export type MarkLimits = Pick<ClientLimits, "marksMax" | "markFreshMillis">

interface Learnt {
  mark: string
  /** On the monotonic clock: when the node's last answer came. */
  at: number
}

export class NodeMarks {
  readonly #runtime: Pick<Runtime, "elapsed">
  readonly #limits: MarkLimits
  readonly #marks = new Map<NodeId, Learnt>()

  constructor(runtime: Pick<Runtime, "elapsed">, limits: MarkLimits) {
    this.#runtime = runtime
    this.#limits = limits
  }

  /** The newest mark of a node that has answered just now; empty where it is to be asked first. */
  of(node: NodeId): string {
    const learnt = this.#marks.get(node)
    if (learnt === undefined) return unknown
    const age = this.#runtime.elapsed() - learnt.at
    return age > this.#limits.markFreshMillis ? unknown : learnt.mark
  }

  /** Takes the mark that came with a reply, and says whose it is; undefined where it is none. */
  learn({ mark, node }: Sender): NodeId | undefined {
    if (!markPattern.test(mark) || !isNodeId(node)) return undefined
    const at = this.#runtime.elapsed()
    const learnt = this.#marks.get(node)
    if (learnt === undefined) this.#add(node, { mark, at })
    else {
      learnt.mark = mark
      learnt.at = at
    }
    return node
  }

  #add(node: NodeId, learnt: Learnt): void {
    this.#marks.set(node, learnt)
    if (this.#marks.size <= this.#limits.marksMax) return
    for (const first of this.#marks.keys()) {
      this.#marks.delete(first)
      return
    }
  }
}
