/**
 * Checks all documents on the disks of a cluster after a member wrote as it liked: each decodes at
 * every node, a read of all replicas is answered, and has made them the same.
 */
import { decodeKey } from "../../src/core/model/KeyFields.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import type { RowKey } from "../../src/core/model/RowKey.ts"
import { encode } from "../../src/core/crdt/DocumentCodec.ts"
import { StoreError } from "../../src/core/model/StoreError.ts"
import type { MemoryNode } from "../cluster/memoryCluster.ts"
import { buckets } from "../cluster/buckets.ts"
import type { FuzzedCluster } from "./FuzzedCluster.ts"
import { Fault } from "./judging.ts"
import * as Schema from "effect/Schema"

/** The member that goes mad, and is started again in the end. */
export const mad = "n4"

const keysAt = ({ disk }: MemoryNode): ReadonlyArray<RowKey> =>
  disk.database
    .prepare("SELECT DISTINCT partition, bucket, partition_key, sort_key FROM documents")
    .all()
    .map((row) => ({
      partition: Number(row["partition"]),
      bucket: String(row["bucket"]),
      partitionKey: String(row["partition_key"]),
      sortKey: String(row["sort_key"])
    }))

const nameOf = ({ bucket, partition, partitionKey, sortKey }: RowKey): string =>
  JSON.stringify([partition, bucket, partitionKey, sortKey])

const keysOf = (
  { stepped }: FuzzedCluster
): ReadonlyArray<RowKey> => [
  ...new Map(stepped.nodes.flatMap(keysAt).map((key) => [nameOf(key), key])).values()
]

/** The bytes of a document at a node, as one text. */
const heldAt = ({ core, id }: MemoryNode, key: RowKey): string => {
  const holding = core.replica.read(key)
  if (holding._tag === "Damaged") throw new Fault(`${id} holds a damaged ${nameOf(key)}`)
  return holding._tag === "Absent"
    ? ""
    : Buffer.from(encode(holding.document).bytes).toString("base64")
}

const isStoreError = Schema.is(StoreError)

/**
 * Where the mad member has told of more changes than its disk has, it is rightly believed to have
 * lost them: its answer does not count, and the error says so of it and of no other.
 */
const isOfMad = (error: StoreError): boolean =>
  error._tag === "QuorumNotMet" && error.incomplete?.join() === mad
  && error.unreachable.length === 0 && error.refused.length === 0

/** Whether a read of all replicas was answered, or failed by an error of its own document. */
const read = (cluster: FuzzedCluster, key: RowKey): boolean => {
  const { stepped } = cluster
  const definition = buckets.find(({ name }) => name === key.bucket)?.definition
  if (definition === undefined) return false
  const documentKey = { partition: key.partitionKey, sort: key.sortKey }
  const json = decodeKey(definition.key, documentKey)
  if (json === undefined) return false
  const outcomes: Array<unknown> = []
  stepped.cluster.backends[0]!.request(
    { action: "read", bucket: BucketName.make(key.bucket), body: { key: json, r: "all" } },
    (outcome) => outcomes.push(outcome)
  )
  cluster.run(nameOf(key))
  stepped.runtime.advance(3_000)
  const [outcome] = outcomes
  if (outcomes.length !== 1) throw new Fault(`${outcomes.length} answers to a read`, nameOf(key))
  if (!(outcome instanceof Error)) return true
  if (isStoreError(outcome) && (outcome._tag === "Undecodable" || isOfMad(outcome))) return true
  throw new Fault(`a read fails, ${outcome.message}`, nameOf(key))
}

/** Throws where a promise about any document does not hold. */
export const checkDocuments = (cluster: FuzzedCluster): void => {
  const { nodes } = cluster.stepped
  for (const key of keysOf(cluster)) {
    for (const node of nodes) heldAt(node, key)
    if (!read(cluster, key)) continue
    const primaries = nodes[0]!.core.view.preferenceList(key.partition).slice(0, 3)
    const held = nodes.filter(({ id }) => primaries.includes(id)).map((node) => heldAt(node, key))
    if (new Set(held).size > 1) throw new Fault("replicas differ after a read", nameOf(key))
  }
}
