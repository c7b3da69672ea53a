/**
 * Fills a store that was wiped, or that lost the end of its log: has every other owner of each
 * partition send everything that it has, and says when that is done. Until then the node's "not
 * found" counts nowhere, and afterwards it may: so each other owner has to have sent what it has,
 * since a write that this node once acknowledged may be at any one of them alone.
 *
 * It may also be at a stand-in alone, for an owner that was away. So each other member sends what
 * it keeps in place of others. It may hand that over meanwhile, to an owner that has sent
 * everything before: so what owners send counts after the last member told. One that is down is
 * waited for, as an owner is: it comes back with its disk, or with an empty one, and says so.
 * Owners have their turn once each member that is up was asked: one may be unable to answer.
 *
 * Where no other owner of a partition is complete either, nobody can send all of it. An operator
 * may then accept the loss: each owner sends what it has, and that is taken for everything.
 *
 * A write that the others acknowledge meanwhile is sent here as to any owner. What was received is
 * kept in memory: a start begins anew, and finds that most is here already.
 */
import type { Completeness } from "../core/model/Completeness.ts"
import type { NodeId } from "../core/model/Names.ts"

export interface FillingOptions {
  /** Whether this node's store is known to lack something. */
  readonly isOn: () => boolean
  /** Of the replica: after a failed commit it goes on as another, without what was not kept. */
  readonly incarnation: () => string
  /** The other owners of each partition of which this node is an owner. */
  readonly owners: () => ReadonlyMap<number, ReadonlyArray<NodeId>>
  readonly otherMembers: () => ReadonlyArray<NodeId>
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
  /** Members that have still to send what they keep in place of others. */
  readonly unasked: number
}

export class Filling {
  readonly #options: FillingOptions
  /** The members that have sent what they keep in place of others. */
  readonly #asked = new Set<NodeId>()
  /** By partition, the owners that have sent everything since the last of them did. */
  readonly #received = new Map<number, Set<NodeId>>()
  /** The nodes that were to be exchanged with, in the order of their last turns. */
  readonly #turns = new Set<NodeId>()
  /** What the others said last of their own stores. */
  readonly #told = new Map<NodeId, Completeness>()
  /** Of the replica that received what was received. */
  #incarnation: string
  #steps = 0

  constructor(options: FillingOptions) {
    this.#options = options
    this.#incarnation = options.incarnation()
  }

  isOn(): boolean {
    return this.#options.isOn()
  }

  /** Whether a node is to send first what it keeps in place of others. */
  isToAsk(node: NodeId): boolean {
    return this.isOn() && !this.#asked.has(node)
  }

  /** A node has sent what it keeps in place of others, and it is on disk. */
  kept(from: NodeId): void {
    if (!this.isToAsk(from)) return
    this.#asked.add(from)
    this.#steps++
    this.#received.clear()
  }

  /** A node has sent everything that it had of a partition, and it is on disk. */
  received(partition: number, from: NodeId): void {
    if (!this.isOn()) return
    this.#forgetLost()
    const nodes = this.#received.get(partition) ?? new Set()
    this.#received.set(partition, nodes.add(from))
    this.#steps++
  }

  /** Rises with all that comes: an exchange after which it is the same brought nothing. */
  get steps(): number {
    return this.#steps
  }

  /** Whether any member has not had its first turn to send what it keeps in place of others. */
  isAsking(): boolean {
    return this.#untried().length > 0
  }

  /** A node said of its own store, when it answered an exchange. */
  told(node: NodeId, completeness: Completeness): void {
    // It has more than it sent before it was complete.
    if (completeness === "complete" && this.#told.get(node) !== "complete") {
      for (const nodes of this.#received.values()) nodes.delete(node)
    }
    this.#told.set(node, completeness)
  }

  /** Whether any node that can be asked has not sent everything. */
  isWaiting(): boolean {
    return this.#missing().size > 0
  }

  /**
   * The node to exchange with next; undefined where all that can be asked have sent everything. Its
   * exchange may fail: the others have their turn before it comes again.
   */
  next(): NodeId | undefined {
    const missing = this.#missing()
    const next = [...missing].find((node) => !this.#turns.has(node))
      ?? [...this.#turns].find((node) => missing.has(node))
    if (next === undefined) return undefined
    this.#turns.delete(next)
    this.#turns.add(next)
    return next
  }

  /** Equal hashes may have been those of a version that never came to the disk. */
  #forgetLost(): void {
    const incarnation = this.#options.incarnation()
    if (incarnation === this.#incarnation) return
    this.#incarnation = incarnation
    this.#received.clear()
  }

  /** The members that have not sent yet what they keep in place of others. */
  #unasked(): ReadonlyArray<NodeId> {
    return this.#options.otherMembers().filter((node) => this.isToAsk(node))
  }

  #untried(): ReadonlyArray<NodeId> {
    return this.#unasked().filter((node) => this.#options.isUp(node) && !this.#turns.has(node))
  }

  /** Members first, and owners too when each member has had a turn. */
  #missing(): ReadonlySet<NodeId> {
    const { isUp, owners } = this.#options
    const untried = this.#untried()
    if (!this.isOn() || untried.length > 0) return new Set(untried)
    const missing = new Set(this.#unasked().filter(isUp))
    for (const [partition, nodes] of owners()) {
      const received = this.#received.get(partition)
      for (const node of nodes) if (received?.has(node) !== true && isUp(node)) missing.add(node)
    }
    return missing
  }

  /** Ends the filling where everything has come. */
  check(): void {
    if (!this.isOn()) return
    this.#forgetLost()
    const { filled, owned } = this.status()
    if (owned === 0 || filled < owned) return
    this.#received.clear()
    this.#asked.clear()
    this.#options.filled()
  }

  status(): FillingStatus {
    const owners = this.#options.owners()
    const { length: unasked } = this.#unasked()
    let [filled, orphaned] = [0, 0]
    for (const [partition, others] of owners) {
      if (unasked === 0 && this.#isFilled(partition, others)) filled++
      else if (this.#isOrphaned(others)) orphaned++
    }
    return { filled, owned: owners.size, orphaned, unasked }
  }

  /**
   * An owner that lacks something itself has sent what it has; one that cannot tell yet whether it
   * does is waited for. Where no other owner is complete, or there is none, nobody can send all.
   */
  #isFilled(partition: number, owners: ReadonlyArray<NodeId>): boolean {
    const received = this.#received.get(partition)
    const isSent = owners.every((node) => received?.has(node) === true && !this.#isUnsure(node))
    return isSent && (this.#options.isLossAccepted || !this.#isOrphaned(owners))
  }

  #isUnsure(node: NodeId): boolean {
    const told = this.#told.get(node)
    return told !== "complete" && told !== "incomplete"
  }

  #isOrphaned(owners: ReadonlyArray<NodeId>): boolean {
    return owners.every((node) => this.#told.get(node) === "incomplete")
  }
}
