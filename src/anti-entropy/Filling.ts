/**
 * Fills a store that was wiped, or that lost the end of its log: has every other owner of each
 * partition send everything that it has, and says when that is done. Until then the node's "not
 * found" counts nowhere, and afterwards it may: so each complete owner has to have sent everything,
 * since a write that this node once acknowledged may be at any one of them alone.
 *
 * Where no other owner of a partition is complete either, nobody can send all of it. An operator
 * may then accept the loss: each owner sends what it has, and that is taken for everything.
 *
 * A write that the others acknowledge meanwhile is sent here as to any owner. What was received is
 * kept in memory: a start begins anew, and finds that most is here already.
 */
import { invariant } from "../core/Invariant.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import type { NodeId } from "../core/model/Names.ts"

export interface FillingOptions {
  /** Whether this node's store is known to lack something. */
  readonly isOn: () => boolean
  /** The other owners of each partition of which this node is an owner. */
  readonly owners: () => ReadonlyMap<number, ReadonlyArray<NodeId>>
  /** Whether a node is believed up. */
  readonly isUp: (node: NodeId) => boolean
  /** An operator's word: what no owner has any more is lost. */
  readonly isLossAccepted: boolean
  /** Told once that everything has come, and is on disk. */
  readonly filled: () => void
}

export interface FillingStatus {
  /** Partitions of which everything has come. */
  readonly filled: number
  /** Partitions of which this node is an owner. */
  readonly owned: number
  /** Partitions that cannot be filled, since every other owner lacks something too. */
  readonly orphaned: number
}

export class Filling {
  readonly #options: FillingOptions
  /** By partition, the owners that have sent everything. */
  readonly #received = new Map<number, Set<NodeId>>()
  /** What the others said last of their own stores. */
  readonly #told = new Map<NodeId, Completeness>()

  constructor(options: FillingOptions) {
    this.#options = options
  }

  isOn(): boolean {
    return this.#options.isOn()
  }

  /** A node has sent everything that it had of a partition, and it is on disk. */
  received(partition: number, from: NodeId): void {
    if (!this.isOn()) return
    const nodes = this.#received.get(partition) ?? new Set()
    this.#received.set(partition, nodes.add(from))
  }

  /** A node said of its own store, when it answered an exchange. */
  told(node: NodeId, completeness: Completeness): void {
    this.#told.set(node, completeness)
  }

  /** The node to exchange with next; undefined where all that can be asked have sent everything. */
  next(): NodeId | undefined {
    if (!this.isOn()) return undefined
    for (const [partition, owners] of this.#options.owners()) {
      const missing = owners.find((node) =>
        this.#options.isUp(node) && this.#received.get(partition)?.has(node) !== true
      )
      if (missing !== undefined) return missing
    }
    return undefined
  }

  /** Ends the filling where everything has come. */
  check(): void {
    if (!this.isOn()) return
    const { filled, owned } = this.status()
    if (owned === 0 || filled < owned) return
    this.#received.clear()
    this.#options.filled()
  }

  status(): FillingStatus {
    const owners = this.#options.owners()
    let [filled, orphaned] = [0, 0]
    for (const [partition, others] of owners) {
      if (this.#isFilled(partition, others)) filled++
      else if (this.#isOrphaned(others)) orphaned++
    }
    return { filled, owned: owners.size, orphaned }
  }

  /** An owner that lacks something itself need not send all; one that cannot tell yet may. */
  #isFilled(partition: number, owners: ReadonlyArray<NodeId>): boolean {
    invariant(owners.length > 0, "a partition that nobody else owns is not filled")
    const hasSent = (node: NodeId) => this.#received.get(partition)?.has(node) === true
    if (this.#isOrphaned(owners)) return this.#options.isLossAccepted && owners.every(hasSent)
    return owners.every((node) =>
      this.#told.get(node) === "incomplete"
      || this.#told.get(node) === "complete" && hasSent(node)
    )
  }

  #isOrphaned(owners: ReadonlyArray<NodeId>): boolean {
    return owners.every((node) => this.#told.get(node) === "incomplete")
  }
}
