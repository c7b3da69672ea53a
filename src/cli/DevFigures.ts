/**
 * Says in one line how a cluster of `everwrite dev` does: its requests, which nodes reach each
 * other, how many concurrent writes met, and what nodes keep for others and have handed over.
 */
import type { NodeId } from "../core/model/Names.ts"
import { devScreen } from "../core/model/EdgeLimits.ts"
import type { DevCluster } from "../node/DevCluster.ts"
import type { LiveNode } from "../node/Node.ts"

interface Counts {
  readonly requests: number
  /** Last writes that lost against a concurrent one, and answers of several siblings. */
  readonly conflicts: number
  /** Documents that were kept for another node, and that it has now. */
  readonly handedOver: number
}

const none: Counts = { requests: 0, conflicts: 0, handedOver: 0 }

const plus = (left: Counts, right: Counts): Counts => ({
  requests: left.requests + right.requests,
  conflicts: left.conflicts + right.conflicts,
  handedOver: left.handedOver + right.handedOver
})

const countsOf = ({ core }: LiveNode): Counts => {
  const { discards, reads, siblingsSeen, writes } = core.coordinator.counters()
  return {
    requests: reads + writes,
    conflicts: discards + siblingsSeen + core.replica.stats().discards,
    handedOver: core.handoff.stats().hintsDelivered
  }
}

/** `2/2` where a node hears both others. */
const peersOf = ({ core: { view } }: LiveNode): string => {
  const peers = view.members().filter(({ id }) => id !== view.self)
  const heard = peers.filter(({ id }) =>
    view.liveness.sinceHeardMillis(id) <= devScreen.heardWithinMillis
  )
  return `${heard.length}/${peers.length}`
}

/** `n2 4 (at n4, n5)` where two nodes keep four documents for a third one. */
const owedOf = (nodes: ReadonlyArray<LiveNode>): ReadonlyArray<string> => {
  const kept = nodes.flatMap(({ core: { handoff, view } }) =>
    handoff.report().nodes.filter(({ documents }) => documents > 0)
      .map(({ documents, node }) => ({ at: view.self, documents, node }))
  )
  return [...new Set(kept.map(({ node }) => node))].toSorted().map((target) => {
    const own = kept.filter(({ node }) => node === target)
    const documents = own.reduce((sum, each) => sum + each.documents, 0)
    return `${target} ${documents} (at ${own.map(({ at }) => at).join(", ")})`
  })
}

interface Shown {
  readonly counts: Counts
  readonly peers: ReadonlyArray<string>
  readonly owed: ReadonlyArray<string>
}

const lineOf = ({ counts, owed, peers }: Shown): string => {
  const { conflicts, handedOver, requests } = counts
  return [
    `requests ${requests}`,
    `peers ${peers.join(", ")}`,
    `conflicts ${conflicts}`,
    ...owed.length === 0 ? [] : [`owed ${owed.join(", ")}`],
    ...handedOver === 0 ? [] : [`handed over ${handedOver}`]
  ].join("   ")
}

export class DevFigures {
  readonly #cluster: DevCluster
  /** A node counts from 0 whenever it starts. */
  readonly #current = new Map<NodeId, { readonly live: LiveNode; readonly counts: Counts }>()
  #ended = none
  #shown: string

  constructor(cluster: DevCluster) {
    this.#cluster = cluster
    const others = this.#ids.length - 1
    const peers = this.#ids.map((node) => `${node} ${others}/${others}`)
    this.#shown = lineOf({ counts: none, peers, owed: [] })
  }

  get #ids(): ReadonlyArray<NodeId> {
    return this.#cluster.settings.members.map(({ id }) => id)
  }

  /** The line, where it is another one than before. */
  news(): string | undefined {
    const line = this.#line()
    if (line === this.#shown) return undefined
    this.#shown = line
    return line
  }

  #line(): string {
    const nodes = this.#cluster.nodes()
    for (const live of nodes) {
      const { node } = live.settings
      const last = this.#current.get(node)
      if (last !== undefined && last.live !== live) this.#ended = plus(this.#ended, last.counts)
      this.#current.set(node, { live, counts: countsOf(live) })
    }
    const counts = [...this.#current.values()].map(({ counts }) => counts)
    const peers = this.#ids.map((node) => {
      const live = nodes.find(({ settings }) => settings.node === node)
      return `${node} ${live === undefined ? "stopped" : peersOf(live)}`
    })
    return lineOf({ counts: counts.reduce(plus, this.#ended), peers, owed: owedOf(nodes) })
  }
}
