/**
 * Remembers which documents are on their way to replicas that lacked the base of a change. Writes
 * that follow each other all find that it is missing: if each of them sent the document, a large
 * one would keep the replica busy for as long as they come.
 */
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import type { NodeId } from "../core/model/Names.ts"

export class DocumentsUnderWay {
  /** The numbers of the requests that sent them; at most one for each replica of a request. */
  readonly #senders = new Map<string, number>()
  readonly #isUnderWay: (request: number) => boolean

  constructor(isUnderWay: (request: number) => boolean) {
    this.#isUnderWay = isUnderWay
  }

  /** Whether a request may send a document to a node, since no other one waits for its answer. */
  begin(node: NodeId, key: RowKey, request: number): boolean {
    const name = nameOf(node, key)
    const sender = this.#senders.get(name)
    if (sender !== undefined && sender !== request && this.#isUnderWay(sender)) return false
    this.#senders.set(name, request)
    return true
  }

  /** Notes that the node has answered the request, or that the request has ended. */
  end(node: NodeId, key: RowKey, request: number): void {
    const name = nameOf(node, key)
    if (this.#senders.get(name) === request) this.#senders.delete(name)
  }
}

const nameOf = (node: NodeId, key: RowKey): string => `${node} ${textOf(key)}`
