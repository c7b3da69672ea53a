/**
 * Lets nodes receive messages that are not for them: frames of another cluster or under another
 * key, requests of nodes with another ring, torn frames. Each carries a value that no client wrote,
 * so that a node which takes it is found out.
 */
import * as DocumentCodec from "../../../core/crdt/DocumentCodec.ts"
import { encodeKey } from "../../../core/model/KeyFields.ts"
import { ClusterName } from "../../../core/model/Names.ts"
import { ByteWriter } from "../../../core/codec/Bytes.ts"
import * as Frame from "../../../transport/Frame.ts"
import { keyIdOf } from "../../../node/ClusterKey.ts"
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

const kinds = ["cluster", "partitions", "ring", "torn", "key"] as const

const frameOf = (kind: (typeof kinds)[number], { cluster, kernel, keys, ring }: SimCluster) => {
  const header: Frame.FrameHeader = {
    cluster: kind === "cluster" ? ClusterName.make("another") : cluster,
    partitionCount: kind === "partitions" ? 2 * ring.partitionCount : ring.partitionCount,
    keyId: kind === "key" ? "f".repeat(16) : keyIdOf(keys[0]),
    senderIncarnation: "000000000000000",
    receiverIncarnation: "",
    clockMillis: epochMillis + kernel.now,
    position: Frame.noPosition
  }
  const messages = store(kind === "ring" ? "f".repeat(16) : ring.digest)
  const frame = Frame.encode(header, { _tag: "Whole", messages })
  return kind === "torn" ? frame.subarray(0, -1) : frame
}

export const strangers: FaultClass = {
  name: "stranger",
  what: "a node receives frames of another cluster, key or ring, and torn ones",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: 2_000,
      lastsMeanMillis: 1,
      amount: () => random.integer(0, kinds.length - 1)
    }),
  begin: (cluster, { amount, fault, node, other }) => {
    const { network, nodes, outside } = cluster
    const subject = new Subjects(cluster.cluster).peer({
      to: cluster.node(node).id,
      from: cluster.node(other).id
    })
    if (nodes.get(node)?.isUp !== true || node === other) return
    network.connect("stranger", outside).publish(subject, frameOf(kinds[amount]!, cluster))
    cluster.did(fault)
  },
  end: lasts
}
