/**
 * Has a node compare its documents with those of all others now, for a user who asks.
 */
import type { AntiEntropy } from "../anti-entropy/AntiEntropy.ts"
import type { Sync } from "../coordinator/ClusterQuestions.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import { UnknownBucket } from "../core/model/StoreError.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"

export const syncDocuments = (options: {
  readonly node: NodeId
  readonly buckets: Buckets
  readonly antiEntropy: AntiEntropy
  readonly limits: Pick<NodeLimits, "syncMillis">
}): Sync =>
({ bucket, timeoutMillis = options.limits.syncMillis }, respond) => {
  const { antiEntropy, buckets, node } = options
  if (bucket !== undefined && buckets.get(bucket) === undefined) {
    return respond(new UnknownBucket({ bucket }))
  }
  antiEntropy.sync(
    { bucket: bucket ?? "", timeoutMillis },
    (nodes) => respond({ node, ...bucket === undefined ? {} : { bucket }, nodes })
  )
}
