/**
 * Holds the owners of each partition while a claim is computed, nodes by number. Mutable, and
 * private to one call of `claim`.
 *
 * Invariant: the owners of a partition are distinct, and at most `zoneCap` of them share a zone.
 * Invariant: `spare` is the number of pairs less those that the nodes hold, each counted between
 * its `least` and its `most`. It is 0 when the claim is done; above it some node may round its
 * share up, below it some node that did has to round down.
 */
import type { Share } from "./WeightedShares.ts"

/** `node` comes to own `partition`, in the place of `leaving` or after the others. */
export interface Move {
  readonly partition: number
  readonly node: number
  readonly leaving?: number | undefined
}

export class Assignment {
  readonly ownerCount: number
  readonly zoneCap: number
  readonly zones: ReadonlyArray<number>
  readonly shares: ReadonlyArray<Share>
  /** The owners of each partition, in order. */
  readonly lists: ReadonlyArray<Array<number>>
  readonly #kept: ReadonlyArray<ReadonlyArray<number>>
  readonly #holdings: ReadonlyArray<Set<number>>
  #spare: number

  constructor(options: {
    readonly ownerCount: number
    readonly zoneCap: number
    readonly zones: ReadonlyArray<number>
    readonly shares: ReadonlyArray<Share>
    /** The owners that stay from before. */
    readonly kept: ReadonlyArray<ReadonlyArray<number>>
  }) {
    this.ownerCount = options.ownerCount
    this.zoneCap = options.zoneCap
    this.zones = options.zones
    this.shares = options.shares
    this.lists = options.kept.map(() => [])
    this.#kept = options.kept
    this.#holdings = options.shares.map(() => new Set())
    this.#spare = options.kept.length * options.ownerCount
    for (const { least } of options.shares) this.#spare -= least
    for (const [partition, list] of options.kept.entries()) {
      for (const node of list) this.make({ partition, node })
    }
  }

  get spare(): number {
    return this.#spare
  }

  held(node: number): number {
    return this.#holdings[node]!.size
  }

  holdings(node: number): ReadonlySet<number> {
    return this.#holdings[node]!
  }

  /** Whether the node had the partition before this claim, so that it costs no transfer. */
  isKept({ node, partition }: Move): boolean {
    return this.#kept[partition]!.includes(node)
  }

  lacksOwner(partition: number): boolean {
    return this.lists[partition]!.length < this.ownerCount
  }

  /** Whether one partition more would round the share of `node` up. */
  canRoundUp(node: number): boolean {
    const { least, most } = this.shares[node]!
    return this.held(node) >= least && this.held(node) < most
  }

  /** Whether one partition less would round the share of `node` down. */
  canRoundDown(node: number): boolean {
    const { least, most } = this.shares[node]!
    return this.held(node) > least && this.held(node) <= most
  }

  isShort(node: number): boolean {
    return this.held(node) < this.shares[node]!.least
  }

  isOver(node: number): boolean {
    return this.held(node) > this.shares[node]!.most
  }

  admits({ leaving, node, partition }: Move): boolean {
    const zone = this.zones[node]
    let inZone = 0
    for (const owner of this.lists[partition]!) {
      if (owner === node) return false
      if (owner !== leaving && this.zones[owner] === zone) inZone++
    }
    return inZone < this.zoneCap
  }

  make({ leaving, node, partition }: Move): void {
    const list = this.lists[partition]!
    if (leaving === undefined) list.push(node)
    else {
      list[list.indexOf(leaving)] = node
      if (this.canRoundDown(leaving)) this.#spare++
      this.#holdings[leaving]!.delete(partition)
    }
    if (this.canRoundUp(node)) this.#spare--
    this.#holdings[node]!.add(partition)
  }
}
