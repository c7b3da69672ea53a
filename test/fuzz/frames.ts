/**
 * Sends changed frames to the nodes of a cluster, of two kinds. Of those that are not sealed anew,
 * nothing is believed: no byte of any document differs afterwards. Those with a valid MAC are of a
 * member that has gone mad, and is started again in the end: it may write any document, and no node
 * throws or stalls; afterwards every document decodes at every node, a read of all replicas is
 * answered and has made them the same, and each node carries out writes with all replicas.
 */
import * as fc from "fast-check"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import { frameSeal } from "../../src/node/FrameKeys.ts"
import * as Frame from "../../src/transport/Frame.ts"
import type { Message } from "../../src/transport/Transport.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"
import { messages } from "../schemas/messages.ts"
import { Drawing } from "./Drawing.ts"
import { FuzzedCluster, maxPayload } from "./FuzzedCluster.ts"
import { checkDocuments, mad } from "./documents.ts"
import { type Episode, Fault, Outcomes } from "./judging.ts"
import { changedBytes } from "./mutations.ts"

type Captured = Pick<Message, "data" | "subject">

const peerSubject = (to: string, from: string): string =>
  `everwrite.test.v1.peer.${to}.from.${from}`

/** Frames with messages of every kind, as a member may send them, beside those that were seen. */
const madeFrames = (seed: number, { stepped }: FuzzedCluster): ReadonlyArray<Captured> => {
  const { core } = stepped.nodes[1]!
  return fc.sample(messages, { seed, numRuns: 60 }).map((message) => {
    const writer = new ByteWriter()
    writeMessage(writer, message, core.view.ring.digest)
    const header = {
      cluster: "test",
      partitionCount: 16,
      senderIncarnation: core.replica.incarnation(),
      number: 1,
      receiverIncarnation: "",
      clockMillis: stepped.runtime.now()
    }
    const data = Frame.encode(header, { _tag: "Whole", messages: writer.finish() })
    return { data, subject: peerSubject("n1", "n2") }
  })
}

/** One in some is for another receiver, from another sender, or on no subject of frames at all. */
const subjectOf = (draw: Drawing, { subject }: Captured): string => {
  if (!draw.oneIn(6)) return subject
  const from = draw.of(["n1", "n2", "n3", "n4", "n5", "stranger"])
  const at = `n${1 + draw.below(4)}`
  return draw.oneIn(8) ? `everwrite.test.v1.gossip.from.${from}` : peerSubject(at, from)
}

/** Alarms that anybody who reaches the broker can cause. */
const alarmsOfAnybody = ["forged", "version", "stranger", "key", "dropped"]

/** Those that a member can cause besides, by its clock and by its documents. */
const alarmsOfMembers = [
  ...alarmsOfAnybody,
  "malformed",
  "cluster",
  "ring",
  "clock",
  "conflict",
  "divergence",
  "told",
  "incomplete",
  "incarnation",
  "process"
]

const refusalsOf = ({ stepped }: FuzzedCluster): ReadonlyMap<string, number> => {
  const outcomes = new Outcomes()
  for (const { core } of stepped.nodes) {
    const { refused } = core.link.stats()
    for (const [name, count] of Object.entries(refused)) outcomes.add(name, count)
  }
  return outcomes.counts
}

interface Mad {
  readonly incarnation: string
  /** Of this frame: with the one before, it would be a repeat. */
  readonly number: number
}

/** With a header that is believed, so that its messages are read; they alone are changed. */
const believed = (
  draw: Drawing,
  frame: Frame.Frame,
  { incarnation: senderIncarnation, number }: Mad
): Uint8Array => {
  const { body, header } = frame
  const own = { ...header, senderIncarnation, number, receiverIncarnation: "" }
  if (body._tag !== "Whole" || draw.oneIn(20)) return Frame.encode(own, body)
  return Frame.encode(own, { _tag: "Whole", messages: changedBytes(draw, body.messages) })
}

/** A frame of the mad member, changed anywhere behind the fields that are proved first. */
const frameOfMad = (
  draw: Drawing,
  [frame, other]: readonly [Captured, Captured],
  mad: Mad
): Uint8Array => {
  if (!draw.oneIn(3)) return believed(draw, Frame.decode(frame.data), mad).subarray(0, maxPayload)
  const { end, incarnation, number } = Frame.layout
  const head = Buffer.from(frame.data.subarray(0, end))
  head.write(mad.incarnation, incarnation, "latin1")
  head.writeUIntBE(mad.number, number, end - number)
  const body = changedBytes(draw, frame.data.subarray(end), other.data.subarray(end))
  return Buffer.concat([head, body]).subarray(0, maxPayload)
}

/**
 * With fields that a node would believe, were it not for the MAC, which is that of a frame that was
 * seen. Its number is new, so that it is no repeat.
 */
const forged = (
  draw: Drawing,
  { data }: Captured,
  { number, seen }: { readonly seen: Uint8Array; readonly number: number }
): Uint8Array => {
  const frame = Frame.decode(data)
  const { senderIncarnation: incarnation } = frame.header
  const bytes = believed(draw, frame, { incarnation, number })
  const { incarnation: end, mac } = Frame.layout
  bytes.set(seen.subarray(mac, end), mac)
  return bytes.subarray(0, maxPayload)
}

export const fuzzUnproved = async (seed: number, inputs: number): Promise<Episode> => {
  const draw = new Drawing(seed)
  const cluster = await FuzzedCluster.start()
  const { outside } = cluster
  const frames = [...cluster.captured, ...madeFrames(seed, cluster)]
  const seen = cluster.captured[0]!.data
  const before = cluster.digests()
  for (let n = 0; n < inputs; n++) {
    const frame = draw.of(frames)
    const data = draw.oneIn(2)
      ? forged(draw, frame, { seen, number: 100_000 + n })
      : draw.oneIn(20)
      ? draw.bytes(draw.few(2_000))
      : changedBytes(draw, frame.data, draw.of(frames).data).subarray(0, maxPayload)
    outside.publish(subjectOf(draw, frame), data, draw.oneIn(4) ? "_INBOX.fuzz" : undefined)
    cluster.run(data)
    if (n % 50 === 0) cluster.checkKept()
  }
  const after = cluster.digests()
  if (after.join() !== before.join()) throw new Fault("an unproved frame changed a document")
  cluster.checkAlarms(new Set(alarmsOfAnybody))
  cluster.checkServes()
  const outcomes = refusalsOf(cluster)
  cluster.stop()
  return { inputs, longestTurn: cluster.longestTurn, outcomes }
}

export const fuzzProved = async (seed: number, inputs: number): Promise<Episode> => {
  const draw = new Drawing(seed)
  const cluster = await FuzzedCluster.start()
  const { outside, stepped } = cluster
  const { core, id } = stepped.nodes[3]!
  const seal = frameSeal(core.options.keys)
  const incarnation = core.replica.incarnation()
  const frames = [...cluster.captured, ...madeFrames(seed, cluster)]
  stepped.cluster.crash(id)
  for (let n = 0; n < inputs; n++) {
    const frame = draw.of(frames)
    const subject = peerSubject(`n${1 + draw.below(3)}`, mad)
    const own = { incarnation, number: 100_000 + n }
    const data = frameOfMad(draw, [frame, draw.of(frames)], own)
    if (data.length > Frame.layout.end) seal.seal(subject, data)
    outside.publish(subject, data)
    cluster.run(data)
    if (n % 50 === 0) {
      stepped.runtime.advance(100)
      cluster.run(data)
      cluster.checkKept()
    }
  }
  await stepped.restart(4)
  stepped.runtime.advance(5_000)
  cluster.run("the end of all timeouts")
  cluster.checkAlarms(new Set(alarmsOfMembers))
  checkDocuments(cluster)
  cluster.checkServes()
  const outcomes = refusalsOf(cluster)
  cluster.stop()
  return { inputs, longestTurn: cluster.longestTurn, outcomes }
}
