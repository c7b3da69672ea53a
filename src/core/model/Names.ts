/**
 * The names of nodes, clusters and buckets. They become tokens of NATS subjects and names of files,
 * so that the alphabet is the one that all of these take without quoting.
 */
import * as Schema from "effect/Schema"

const name = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9_-]{0,63}$/u, {
    expected: "1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit"
  })
)

/** One member of a cluster. It stays the same over restarts; an `Incarnation` does not. */
export const NodeId = name.pipe(Schema.brand("NodeId"))
export type NodeId = typeof NodeId.Type

export const ClusterName = name.pipe(Schema.brand("ClusterName"))
export type ClusterName = typeof ClusterName.Type

export const BucketName = name.pipe(Schema.brand("BucketName"))
export type BucketName = typeof BucketName.Type
