/**
 * Remembers the node to which each write was forwarded, and how often, so that one that is sent
 * again reaches the node that may have carried it out: another would not know it, and carry it out
 * a second time.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Request } from "./Request.ts"

interface Sending {
  readonly node: NodeId
  readonly sendings: number
}

const idOf = ({ body: { operationId } }: Request): string =>
  operationId === undefined ? "" : `${operationId.session} ${operationId.sequence}`

export class ForwardedWrites {
  readonly #writes = new Map<string, Sending>()
  readonly #forwardedMax: number

  constructor({ forwardedWritesMax }: Pick<NodeLimits, "forwardedWritesMax">) {
    this.#forwardedMax = forwardedWritesMax
  }

  /**
   * The nodes to forward a request to, the best first; for a write that was forwarded, its node
   * alone.
   */
  route(request: Request, nodes: ReadonlyArray<NodeId>): ReadonlyArray<NodeId> {
    const known = this.#writes.get(idOf(request))
    return known !== undefined && nodes.includes(known.node) ? [known.node] : nodes
  }

  /**
   * Notes that a write is sent to a node, by whichever request of its client. One that names no
   * incarnation of the node is not carried out, and does not count.
   */
  sent(request: Request, node: NodeId, incarnation: string): void {
    const id = idOf(request)
    if (id === "") return
    const known = this.#writes.get(id)
    const before = known?.node === node ? known.sendings : 0
    this.#writes.set(id, { node, sendings: incarnation === "" ? before : before + 1 })
    const [oldest] = this.#writes.keys()
    if (this.#writes.size > this.#forwardedMax && oldest !== undefined) this.#writes.delete(oldest)
  }

  /** Whether a node's answer about a write can only concern its one sending. */
  wasSentOnce(request: Request): boolean {
    return this.#writes.get(idOf(request))?.sendings === 1
  }

  /** Notes that no node has carried the write out, so a retry may go to any node. */
  forget(request: Request): void {
    this.#writes.delete(idOf(request))
  }
}
