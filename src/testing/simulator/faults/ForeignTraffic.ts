/**
 * Lets nodes receive messages that are not for them: frames of another cluster, key or version, of
 * strangers, forged or torn, and requests of nodes with another ring. Each carries a value that no
 * client wrote, so that a node which takes it is found out.
 */
import * as DocumentCodec from "../../../core/crdt/DocumentCodec.ts"
import { encodeKey } from "../../../core/model/KeyFields.ts"
import * as Redacted from "effect/Redacted"
import { ClusterName, NodeId } from "../../../core/model/Names.ts"
import { ByteWriter } from "../../../core/codec/Bytes.ts"
import * as Frame from "../../../transport/Frame.ts"
import { toKeys } from "../../../node/ClusterKey.ts"
import { frameSeal } from "../../../node/FrameKeys.ts"
import { writeMessage } from "../../../transport/PeerMessageCodec.ts"
import { Subjects } from "../../../transport/Subjects.ts"
import { drawSeries, type FaultClass, lasts } from "../FaultClass.ts"
import { valueOf } from "../Plan.ts"
import { Registers } from "../SimBuckets.ts"
import type { SimCluster } from "../SimCluster.ts"
import { epochMillis } from "../SimRuntime.ts"

const dot = { actor: "stranger.000000000000000.1", counter: 1 }
const invented = JSON.stringify(valueOf({ id: 999_999 }))
const { bytes: document } = DocumentCodec.encode({
  context: new Map([[dot.actor, dot.counter]]),
  store: { kind: "latest", ...dot, stamp: Number.MAX_SAFE_INTEGER, value: invented },
  deferred: [],
  expiry: []
})

/** A request to store the invented value in place of a register that clients use. */
const store = (ringDigest: string): Uint8Array => {
  const writer = new ByteWriter(256)
  writeMessage(writer, {
    _tag: "Store",
    request: 1,
    bucket: Registers.name,
    fingerprint: Registers.fingerprint,
    key: encodeKey(Registers.definition.key, "registers0"),
    sync: true,
    document
  }, ringDigest)
  return writer.finish()
}

const kinds = [
  "cluster",
  "partitions",
  "ring",
  "torn",
  "key",
  "forged",
  "member",
  "version"
] as const
type Kind = (typeof kinds)[number]

const otherKeys = toKeys({ current: Redacted.make("of another cluster") })

const headerOf = (kind: Kind, { cluster, kernel, ring }: SimCluster): Frame.FrameHeader => ({
  cluster: kind === "cluster" ? ClusterName.make("another") : cluster,
  partitionCount: kind === "partitions" ? 2 * ring.partitionCount : ring.partitionCount,
  senderIncarnation: "000000000000000",
  // No frame came of this incarnation, and none that it repeats.
  number: Math.floor(kernel.now * 1_000),
  receiverIncarnation: "",
  clockMillis: epochMillis + kernel.now,
  position: Frame.noPosition
})

const frameOf = (kind: Kind, cluster: SimCluster, subject: string): Uint8Array => {
  const messages = store(kind === "ring" ? "f".repeat(16) : cluster.ring.digest)
  const whole = Frame.encode(headerOf(kind, cluster), { _tag: "Whole", messages })
  const frame = kind === "torn" ? whole.subarray(0, -1) : whole
  frameSeal(kind === "key" ? otherKeys : cluster.clusterKeys).seal(subject, frame)
  if (kind === "version") frame[0]!--
  // The last bytes are of the document.
  if (kind === "forged") frame[frame.length - 1]! ^= 1
  return frame
}

export const strangers: FaultClass = {
  name: "stranger",
  what: "a node receives frames of another cluster, key, ring or version, forged and torn ones",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: 2_000,
      lastsMeanMillis: 1,
      amount: () => random.integer(0, kinds.length - 1)
    }),
  begin: (cluster, { amount, fault, node, other }) => {
    const { network, nodes, outside } = cluster
    const kind = kinds[amount]!
    const subject = new Subjects(cluster.cluster).peer({
      to: cluster.node(node).id,
      from: kind === "member" ? NodeId.make("stranger") : cluster.node(other).id
    })
    if (nodes.get(node)?.isUp !== true || node === other) return
    network.connect("stranger", outside).publish(subject, frameOf(kind, cluster, subject))
    cluster.did(fault)
  },
  end: lasts
}
