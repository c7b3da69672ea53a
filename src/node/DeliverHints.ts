/**
 * Makes the part of a node that hands over what it keeps for other nodes.
 */
import type { Coordinator } from "../coordinator/Coordinator.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import { HintDelivery, type HintDeliveryOptions } from "../handoff/HintDelivery.ts"

/** The parts of a node that it needs. */
interface Delivering extends Pick<HintDeliveryOptions, "replica" | "view"> {
  readonly options: Pick<HintDeliveryOptions, "limits" | "node" | "runtime"> & {
    readonly buckets: Buckets
  }
  readonly coordinator: Pick<Coordinator, "admission">
  readonly link: { readonly send: HintDeliveryOptions["send"] }
}

/** `core.link` is read when something is sent, not before. */
export const deliverHints = (core: Delivering): HintDelivery => {
  const { options: { buckets, limits, node, runtime }, replica, view } = core
  return new HintDelivery({
    runtime,
    node,
    replica,
    view,
    replicasOf: (bucket) => buckets.get(bucket)?.definition.n,
    fingerprintOf: (bucket) => buckets.get(bucket)?.fingerprint,
    send: (to, message) => core.link.send(to, message),
    background: core.coordinator.admission().background,
    limits
  })
}
