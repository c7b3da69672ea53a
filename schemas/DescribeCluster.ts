/**
 * Makes the description of a cluster from what a node knows of it.
 */
import * as Schema from "effect/Schema"
import type { FormationStatus } from "../src/core/membership/Formation.ts"
import type { Ring } from "../src/core/ring/Ring.ts"
import type { KnownBucket } from "../src/core/strategy/Buckets.ts"
import {
  type BucketBody,
  ClusterDescription,
  type FormationBody,
  type OwnersBody,
  ownersVersion,
  type PeerBody
} from "./ClusterDescription.ts"

/** A node's description of its standing. */
export const formationBody = (
  { awaited, completeness, formed }: FormationStatus
): typeof FormationBody.Type => ({
  formed,
  completeness: completeness === "complete" ? completeness : "incomplete",
  awaited
})

const ownersBody = ({ members, owners }: Ring): typeof OwnersBody.Type => {
  const indexes = new Map(members.map(({ id }, index) => [id, index]))
  return { version: ownersVersion, indexes: owners.flat().map((id) => indexes.get(id)!) }
}

/** A node's description of a bucket. */
export const describeBucket = (bucket: KnownBucket): BucketBody => ({
  definition: bucket.definition,
  fingerprint: bucket.fingerprint,
  operations: Object.fromEntries(
    [...bucket.strategy.operations].map(([name, operation]) => [name, operation.args])
  ),
  hasCode: bucket.code !== undefined
})

export const describe = (
  options: {
    readonly cluster: string
    readonly node: string
    readonly ring: Ring
    readonly buckets: Iterable<KnownBucket>
    /** Undefined where it is not known yet. */
    readonly formation?: FormationStatus | undefined
    readonly peers?: ReadonlyArray<PeerBody> | undefined
  }
): ClusterDescription => ({
  cluster: options.cluster,
  node: options.node,
  partitionCount: options.ring.partitionCount,
  ringDigest: options.ring.digest,
  members: options.ring.members.map(({ id, weight, zone }) => ({ id, weight, zone: zone ?? null })),
  owners: ownersBody(options.ring),
  ...options.formation === undefined ? {} : { formation: formationBody(options.formation) },
  ...options.peers === undefined ? {} : { peers: options.peers },
  buckets: [...options.buckets].map(describeBucket)
})

const encode = Schema.encodeSync(Schema.fromJsonString(ClusterDescription))

export const clusterText = (options: Parameters<typeof describe>[0]): string =>
  encode(describe(options))
