/**
 * Names the parts of a node that an exchange with another node uses, and the documents that both
 * are to hold.
 */
import type { AntiEntropy, SentDocument } from "../../schemas/AntiEntropyMessage.ts"
import type { PeerMessage, Store } from "../../schemas/PeerMessage.ts"
import type { BackgroundBudget } from "../core/admission/BackgroundBudget.ts"
import { HashSet } from "../core/anti-entropy/HashSet.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { AntiEntropyLimits } from "../core/model/AntiEntropyLimits.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { rowKeyOf } from "../core/ring/Partition.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { WorkQueue } from "../core/WorkQueue.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { LocalRead } from "../replica/LocalDocument.ts"
import type { Replica } from "../replica/Replica.ts"
import type { Includes } from "../replica/VersionIndex.ts"

/** Whether this node's store has everything that it ever acknowledged. */
export interface StoreStanding {
  readonly completeness: () => Completeness
  /** Whether it is known to lack something that others may have. */
  readonly isToBeFilled: () => boolean
  /** Every complete owner, and every member that stood in for one, has sent everything. */
  readonly filled: () => void
}

export interface ExchangeContext {
  readonly runtime: Runtime
  readonly view: ClusterView
  readonly replica: Replica
  readonly buckets: Buckets
  /** Joins a document of another node, and answers when it is on disk. */
  readonly store: (message: Store, reply: (message: PeerMessage) => void) => void
  readonly send: (to: NodeId, message: AntiEntropy) => void
  /** In which rows are looked through. */
  readonly work: WorkQueue
  /** Says how fast exchanges may go on while clients' requests do. */
  readonly background: Pick<BackgroundBudget, "pauseMillis" | "restMillis">
  readonly standing: StoreStanding
  /** An operator's word: what no owner has any more is lost. */
  readonly isLossAccepted?: boolean
  /** An id of the key under which versions are hashed. */
  readonly hashKeyId: string
  readonly limits: AntiEntropyLimits
}

interface PartitionWith {
  readonly peer: NodeId
  readonly partition: number
  /** Empty for all. */
  readonly bucket: string
}

/** The buckets whose documents of a partition a node is to hold. */
export const heldBy = (
  { buckets, view }: ExchangeContext,
  { bucket: scope, partition, peer }: PartitionWith
): Includes => {
  const place = view.preferenceList(partition).indexOf(peer)
  // A node that does not know a bucket takes its documents as any owner does.
  const usual = view.ring.replicaCount
  return (bucket) =>
    place >= 0 && (scope === "" || bucket === scope)
    && place < (buckets.get(bucket)?.definition.n ?? usual)
}

/** The buckets whose documents of a partition this node and another are both to hold. */
export const sharedWith = (context: ExchangeContext, asked: PartitionWith): Includes => {
  const own = heldBy(context, { ...asked, peer: context.view.self })
  const other = heldBy(context, asked)
  return (bucket) => own(bucket) && other(bucket)
}

/** The buckets whose documents of a partition another node is to hold, and this one is not. */
export const keptFor = (context: ExchangeContext, asked: PartitionWith): Includes => {
  const own = heldBy(context, { ...asked, peer: context.view.self })
  const other = heldBy(context, asked)
  return (bucket) => other(bucket) && !own(bucket)
}

/** The other owners, if any, of each partition of which this node is to hold any documents. */
export const otherOwners = (
  { buckets, view }: ExchangeContext
): ReadonlyMap<number, ReadonlyArray<NodeId>> => {
  const { partitionCount, replicaCount } = view.ring
  let most = replicaCount
  for (const { definition } of buckets.values()) most = Math.max(most, definition.n)
  const others = new Map<number, ReadonlyArray<NodeId>>()
  for (let partition = 0; partition < partitionCount; partition++) {
    const owners = view.preferenceList(partition).slice(0, most)
    const rest = owners.filter((node) => node !== view.self)
    if (rest.length < owners.length) others.set(partition, rest)
  }
  return others
}

/** The partitions of which this node and another are both to hold any documents. */
export const sharedPartitions = (context: ExchangeContext, peer: NodeId): ReadonlyArray<number> =>
  [...otherOwners(context)].filter(([, owners]) => owners.includes(peer)).map(([it]) => it)

/** Whether this node claims any of some versions. */
export const holdsAny = (
  { replica: { versions } }: ExchangeContext,
  partition: number,
  hashes: HashSet
): boolean => {
  let holds = false
  hashes.each((high, low) => void (holds ||= versions.has(partition, high, low)))
  return holds
}

export const bytesIn = (documents: ReadonlyArray<SentDocument>): number =>
  documents.reduce((sum, { document }) => sum + document.length, 0)

/** The documents of some rows, and the last row looked at; undefined where there are no more. */
export interface Gathered {
  readonly documents: ReadonlyArray<SentDocument>
  readonly through: RowKey | undefined
}

/**
 * Gathers the documents of a partition after a row, as many as one message carries, a few rows in
 * each step; undefined where the rows cannot be read.
 */
export const gather = (
  context: ExchangeContext,
  asked: {
    readonly partition: number
    readonly includes: Includes
    /** The versions that are asked for, less those that were gathered; undefined for all. */
    readonly versions: HashSet | undefined
    readonly after: RowKey | undefined
  },
  done: (gathered: Gathered | undefined) => void
): void => {
  const { limits: { repairBatchBytes }, replica: { versions }, work } = context
  const { includes, partition, versions: wanted } = asked
  const documents: Array<SentDocument> = []
  let [bytes, after] = [0, asked.after]
  const step = (): boolean => {
    const looked = versions.look(partition, after)
    for (const { high, key, low } of looked.versions) {
      if (!includes(key.bucket) || wanted?.has(high, low) === false) continue
      const sent = documentOf(context, key)
      if (sent === undefined) continue
      documents.push(sent)
      wanted?.delete(high, low)
      bytes += sent.document.length
      if (wanted?.size !== 0 && bytes >= repairBatchBytes) return end(key)
    }
    after = looked.through
    return wanted?.size === 0 || after === undefined ? end(undefined) : true
  }
  const end = (through: RowKey | undefined): false => {
    done({ documents, through })
    return false
  }
  const takes = work.add(() => {
    try {
      return step()
    } catch (error) {
      done(undefined)
      if (error instanceof Error && error.name === "ScanFailed") return false
      throw error
    }
  })
  if (!takes) done(undefined)
}

const documentOf = (
  { buckets, replica }: ExchangeContext,
  key: RowKey
): SentDocument | undefined => {
  const local = replica.read(key)
  if (local._tag !== "Found") return undefined
  const { bucket, partitionKey, sortKey } = key
  return {
    bucket,
    fingerprint: buckets.get(bucket)?.fingerprint ?? "",
    key: { partition: partitionKey, sort: sortKey },
    document: DocumentCodec.encode(local.document).bytes
  }
}

/**
 * Joins documents of another node; calls back when each is on disk, or is refused. Taken are those
 * that this node holds as they were sent, or that changed its own; those before which it holds a
 * later version already are neither.
 */
export const storeAll = (
  { replica, runtime, store, view }: ExchangeContext,
  documents: ReadonlyArray<SentDocument>,
  done: (taken: number, refused: number) => void
): void => {
  let [stored, taken, refused] = [0, 0, 0]
  const end = () => {
    if (stored + refused === documents.length) done(taken, refused)
  }
  if (documents.length === 0) return end()
  for (const sent of documents) {
    runtime.mark("anti-entropy: a document of another replica is joined")
    // A row that the disk lost may be in memory still, and would never be written again.
    const key = rowKeyOf({ ...sent, partitionCount: view.ring.partitionCount })
    replica.uncache(key)
    const before = replica.read(key)
    let isTaken = false
    store({ _tag: "Store", request: 1, ...sent, sync: true }, ({ _tag }) => {
      if (_tag === "Stored") stored++
      else refused++
      if (_tag === "Stored" && isTaken) taken++
      end()
    })
    // The join is made, though it is not on disk yet, and answered in a later turn.
    isTaken = isLater(before, replica.read(key), sent)
  }
}

/** Whether a document changed in a join, or is as it was sent. */
const isLater = (before: LocalRead, after: LocalRead, { document }: SentDocument): boolean => {
  if (after._tag !== "Found") return false
  if (before._tag !== "Found" || before.digest !== after.digest) return true
  const held = DocumentCodec.encode(after.document).bytes
  return held.length === document.length && held.every((byte, at) => byte === document[at])
}
