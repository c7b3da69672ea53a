/**
 * Orders the owners of each partition, which moves no data: the first owner coordinates, and a
 * bucket with a smaller n uses the first few. So each rank of the lists is dealt out evenly by
 * itself, each node having about one n-th of its partitions there, and the zones alternate where a
 * list has several owners in one. An order that is even already is left as it is.
 */
import { cheapestPath } from "./Path.ts"

/** Orders every list in place. */
export const orderOwners = (
  lists: ReadonlyArray<Array<number>>,
  options: { readonly zones: ReadonlyArray<number>; readonly ownerCount: number }
): void => {
  for (let rank = 0; rank < options.ownerCount - 1; rank++) {
    new Rank(lists, { ...options, rank }).balance()
  }
}

/** One rank of the lists, those before it being decided. */
class Rank {
  readonly #lists: ReadonlyArray<Array<number>>
  readonly #rank: number
  /** The candidates for this rank: the owners left whose zone the ranks before use least. */
  readonly #candidates: ReadonlyArray<ReadonlyArray<number>>
  /** The partitions where each node stands at this rank. */
  readonly #placed: ReadonlyArray<Set<number>>
  /** How many partitions are left for each node, at this rank and after it, over the ranks. */
  readonly #quota: ReadonlyArray<number>

  constructor(
    lists: ReadonlyArray<Array<number>>,
    options: {
      readonly zones: ReadonlyArray<number>
      readonly ownerCount: number
      readonly rank: number
    }
  ) {
    const { zones, rank } = options
    this.#lists = lists
    this.#rank = rank
    this.#candidates = lists.map((list) => {
      const settled = list.slice(0, rank).map((node) => zones[node])
      const uses = (node: number) => settled.filter((zone) => zone === zones[node]).length
      const fewest = Math.min(...list.slice(rank).map(uses))
      return list.slice(rank).filter((node) => uses(node) === fewest)
    })
    this.#placed = zones.map(() => new Set())
    const left = zones.map(() => 0)
    for (const [partition, list] of lists.entries()) {
      for (const node of list.slice(rank)) left[node]!++
      const first = list[rank]!
      const candidates = this.#candidates[partition]!
      this.#place({ partition, node: candidates.includes(first) ? first : candidates[0]! })
    }
    this.#quota = left.map((count) => count / (options.ownerCount - rank))
  }

  balance(): void {
    const placed = (node: number) => this.#placed[node]!.size
    const most = (node: number) => Math.ceil(this.#quota[node]!)
    const least = (node: number) => Math.floor(this.#quota[node]!)
    this.#level((node) => placed(node) > most(node), (node) => placed(node) < most(node))
    this.#level((node) => placed(node) > least(node), (node) => placed(node) < least(node))
  }

  #level(gives: (node: number) => boolean, takes: (node: number) => boolean): void {
    for (const [partition, list] of this.#lists.entries()) {
      if (!gives(list[this.#rank]!)) continue
      const to = this.#candidates[partition]!.find(takes)
      if (to !== undefined) this.#place({ partition, node: to })
    }
    for (;;) {
      const path = cheapestPath({
        nodeCount: this.#placed.length,
        starts: [...this.#placed.keys()].filter(gives),
        isEnd: takes,
        offers: (from, offer) => {
          for (const partition of this.#placed[from]!) {
            for (const to of this.#candidates[partition]!) offer({ partition, from, to, cost: 0 })
          }
        }
      })
      if (path === undefined) return
      for (const { partition, to } of path) {
        if (partition !== undefined) this.#place({ partition, node: to })
      }
    }
  }

  #place({ node, partition }: { readonly partition: number; readonly node: number }): void {
    const list = this.#lists[partition]!
    const first = list[this.#rank]!
    list[list.indexOf(node)] = first
    list[this.#rank] = node
    this.#placed[first]!.delete(partition)
    this.#placed[node]!.add(partition)
  }
}
