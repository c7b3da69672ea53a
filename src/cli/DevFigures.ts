/**
 * Says in one line how a cluster of `everwrite dev` does: its requests, which nodes reach each
 * other, and how many concurrent writes met.
 */
import type { NodeId } from "../core/model/Names.ts"
import { devScreen } from "../core/model/EdgeLimits.ts"
import { type DevCluster, devNodes } from "../node/DevCluster.ts"
import type { LiveNode } from "../node/Node.ts"

interface Counts {
  readonly requests: number
  /** Last writes that lost against a concurrent one, and answers of several siblings. */
  readonly conflicts: number
}

const none: Counts = { requests: 0, conflicts: 0 }

const plus = (left: Counts, right: Counts): Counts => ({
  requests: left.requests + right.requests,
  conflicts: left.conflicts + right.conflicts
})

const countsOf = ({ core }: LiveNode): Counts => {
  const { discards, reads, siblingsSeen, writes } = core.coordinator.counters()
  return {
    requests: reads + writes,
    conflicts: discards + siblingsSeen + core.replica.stats().discards
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

const lineOf = (counts: Counts, peers: ReadonlyArray<string>): string =>
  `requests ${counts.requests}   peers ${peers.join(", ")}   conflicts ${counts.conflicts}`

export class DevFigures {
  readonly #cluster: DevCluster
  /** A node counts from 0 whenever it starts. */
  readonly #current = new Map<NodeId, { readonly live: LiveNode; readonly counts: Counts }>()
  #ended = none
  #shown: string

  constructor(cluster: DevCluster) {
    this.#cluster = cluster
    const others = devNodes.length - 1
    this.#shown = lineOf(none, devNodes.map((node) => `${node} ${others}/${others}`))
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
    return lineOf(
      counts.reduce(plus, this.#ended),
      devNodes.map((node) => {
        const live = nodes.find(({ settings }) => settings.node === node)
        return `${node} ${live === undefined ? "stopped" : peersOf(live)}`
      })
    )
  }
}
