/**
 * Makes the part of a node that watches the other members, and tells them of this one.
 */
import { digest64 } from "../core/Hash.ts"
import type { MemberTale } from "../core/membership/MemberFacts.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import { MemberWatch, type MemberWatchOptions } from "../gossip/MemberWatch.ts"
import { frameVersion } from "../transport/Frame.ts"

/** The parts of a node that it needs. */
interface Watching {
  readonly options: Pick<MemberWatchOptions, "limits" | "runtime"> & {
    readonly buckets: Buckets
    readonly node: NodeId
    readonly storage: { readonly storeId: string }
  }
  readonly view: ClusterView
  readonly replica: { readonly incarnation: () => string }
  readonly link: { readonly send: MemberWatchOptions["send"] }
}

/** `core` is read when something is sent, not before. */
export const watchMembers = (core: Watching, isStopping: () => boolean): MemberWatch => {
  const { options: { buckets, limits, node: self, runtime, storage: { storeId } }, view } = core
  const watch = new MemberWatch({
    runtime,
    self,
    limits,
    members: () => view.members(),
    incarnation: () => core.replica.incarnation(),
    tale: tale(buckets, storeId, isStopping),
    send: (to, message) => core.link.send(to, message),
    believe: (node, belief) => view.liveness.believe(node, belief)
  })
  view.onRingChange(() => watch.retainMembers())
  view.facts = (id) => watch.factsOf(id)
  return watch
}

/** What others are to know of this node, at each call. */
const tale = (buckets: Buckets, store: string, isStopping: () => boolean): () => MemberTale => {
  const names = [...buckets.values()].map(({ definition, fingerprint }) =>
    `${definition.name} ${fingerprint}`
  )
  const digest = digest64(names.sort().join("\n"))
  return () => ({
    store,
    status: isStopping() ? "stopping" : "serving",
    protocols: { least: frameVersion, greatest: frameVersion },
    buckets: digest
  })
}
