/**
 * Moves the surplus that plain hand-overs could not, along cheapest paths, until every partition
 * has its owners and every node its share.
 */
import { invariant } from "../Invariant.ts"
import type { Assignment } from "./Assignment.ts"
import { cheapestPath, type Hop } from "./Path.ts"

export const settle = (assignment: Assignment): void => {
  const hops = new HandOvers(assignment)
  for (;;) {
    const starts = hops.stops.filter((stop) => hops.isStart(stop))
    if (starts.length === 0) return
    let path = cheapestPath({
      nodeCount: hops.stops.length,
      starts,
      isEnd: (stop) => hops.isEnd(stop),
      offers: (from, offer) => hops.offers(from, offer)
    })
    invariant(path !== undefined, "a surplus of one node is a deficit of another")
    // The cheapest path stays the cheapest while it lasts: one search serves many partitions.
    for (; path !== undefined; path = hops.again(path)) hops.apply(path)
  }
}

/**
 * The stops of a path: the nodes by number, then two more. `gap` hands over pairs that no node has;
 * `rounding` is where a node that rounds its share up leaves the pair to one that rounds down.
 */
class HandOvers {
  readonly stops: ReadonlyArray<number>
  readonly #assignment: Assignment
  readonly #gap: number
  readonly #rounding: number

  constructor(assignment: Assignment) {
    const nodeCount = assignment.shares.length
    this.stops = [...Array(nodeCount + 2).keys()]
    this.#assignment = assignment
    this.#gap = nodeCount
    this.#rounding = nodeCount + 1
  }

  isStart(stop: number): boolean {
    const assignment = this.#assignment
    if (stop === this.#gap) return assignment.lists.some((_, p) => assignment.lacksOwner(p))
    return stop === this.#rounding ? assignment.spare < 0 : assignment.isOver(stop)
  }

  isEnd(stop: number): boolean {
    if (stop === this.#gap) return false
    return stop === this.#rounding
      ? this.#assignment.spare > 0
      : this.#assignment.isShort(stop)
  }

  offers(from: number, offer: (hop: Hop) => void): void {
    for (const to of this.stops) {
      const hop = { partition: undefined, from, to, cost: 0 }
      if (this.#rounds(hop)) offer(hop)
    }
    for (const partition of this.#partitions(from)) {
      for (let to = 0; to < this.#gap; to++) {
        if (this.#assignment.admits({ partition, node: to, leaving: from })) {
          offer({ partition, from, to, cost: this.#cost({ partition, from, to }) })
        }
      }
    }
  }

  apply(path: ReadonlyArray<Hop>): void {
    for (const { from, partition, to } of path) {
      if (partition === undefined) continue
      const leaving = from === this.#gap ? undefined : from
      this.#assignment.make({ partition, node: to, leaving })
    }
  }

  /** The same path through other partitions, at the same cost, where it still leads on. */
  again(path: ReadonlyArray<Hop>): ReadonlyArray<Hop> | undefined {
    if (!this.isStart(path[0]!.from) || !this.isEnd(path.at(-1)!.to)) return undefined
    const hops = path.flatMap((hop) => this.#like(hop) ?? [])
    return hops.length === path.length ? hops : undefined
  }

  #like(hop: Hop): Hop | undefined {
    const { cost, from, partition, to } = hop
    if (partition === undefined) return this.#rounds(hop) ? hop : undefined
    for (const partition of this.#partitions(from)) {
      if (!this.#assignment.admits({ partition, node: to, leaving: from })) continue
      if (this.#cost({ partition, from, to }) === cost) return { ...hop, partition }
    }
    return undefined
  }

  #partitions(from: number): Iterable<number> {
    const { lists } = this.#assignment
    if (from === this.#rounding) return []
    return from === this.#gap
      ? lists.keys().filter((partition) => this.#assignment.lacksOwner(partition))
      : this.#assignment.holdings(from)
  }

  #rounds({ from, to }: { readonly from: number; readonly to: number }): boolean {
    if (to === this.#rounding) return from < this.#gap && this.#assignment.canRoundUp(from)
    return from === this.#rounding && to < this.#gap && this.#assignment.canRoundDown(to)
  }

  /** Taking a partition anew costs a transfer; moving such a partition on saves it again. */
  #cost(hop: { readonly partition: number; readonly from: number; readonly to: number }): number {
    const { from, partition, to } = hop
    const isNew = (node: number) => this.#assignment.isKept({ partition, node }) ? 0 : 1
    return isNew(to) - (from === this.#gap ? 0 : isNew(from))
  }
}
