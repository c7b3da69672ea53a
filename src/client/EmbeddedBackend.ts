/**
 * Lets a program be a client of the node in its own process: no transport, no encoding, and reads
 * of what this node holds without a hop.
 */
import { describe } from "../../schemas/ClusterDescription.ts"
import type { Coordinator } from "../coordinator/Coordinator.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { World } from "../core/World.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Backend } from "./Backend.ts"

export interface EmbeddedOptions {
  readonly world: World
  readonly coordinator: Coordinator
  readonly view: ClusterView
  readonly buckets: Buckets
  readonly cluster: string
}

export const make = (options: EmbeddedOptions): Backend => ({
  world: options.world,
  request: (request, respond) =>
    options.coordinator.handle({ ...request, forwarded: false }, (outcome) =>
      respond(
        outcome._tag === "Answer"
          ? { ...outcome, values: outcome.values.map(CanonicalJson.decode) }
          : outcome
      )),
  explain: (request, respond) => options.coordinator.explain(request, respond),
  list: (request, respond) => options.coordinator.list(request, respond),
  describe: (respond) => {
    const { buckets, cluster, view } = options
    respond(describe({ cluster, node: view.self, ring: view.ring, buckets: buckets.values() }))
  }
})
