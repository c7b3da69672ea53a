/**
 * Lends tests three nodes under a stepped clock, one of whose buckets has large documents, and the
 * messages that each of them got.
 */
import * as Schema from "effect/Schema"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteReader } from "../../src/core/codec/Bytes.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import type { NodeLimits } from "../../src/core/model/Limits.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import * as Frame from "../../src/transport/Frame.ts"
import { readMessage } from "../../src/transport/PeerMessageCodec.ts"
import { idle, SteppedCluster } from "../cluster/steppedCluster.ts"

export const tags = Bucket.crdt("tags", { key: Key.text, type: Crdt.set(Schema.String) })
export const notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })

export let stepped: SteppedCluster
/** Messages that carry or ask for a change, by their receivers. */
export let heard: Array<readonly [to: string, message: PeerMessage]>
export let bytes: Map<string, number>

export const start = async (limits: Partial<NodeLimits> = {}) => {
  stepped = await SteppedCluster.start({
    nodes: 3,
    buckets: [tags, notes],
    limits: { ...idle, deltaPercentMax: 10_000, ...limits }
  })
  heard = []
  bytes = new Map()
  stepped.cluster.connect().subscribe("everwrite.test.v1.peer.*.from.*", ({ data, subject }) => {
    const to = /\.peer\.([^.]+)\./u.exec(subject)![1]!
    bytes.set(to, (bytes.get(to) ?? 0) + data.length)
    const { body } = Frame.decode(data)
    if (body._tag !== "Whole") return
    const reader = new ByteReader(body.messages)
    while (reader.remaining > 0) heard.push([to, readMessage(reader).message])
  })
}

/** Tags of the messages since the last look that one node got. */
export const tagsAt = (to: string): ReadonlyArray<string> =>
  heard.flatMap(([receiver, { _tag }]) => receiver === to ? [_tag] : [])

export const forget = () => {
  heard = []
  bytes.clear()
}

export const add = (value: string, body = {}) =>
  stepped.write(1, tags, { key: "k", op: "add", args: [value], w: 2, ...body })

export const areEqual = (): boolean => {
  const digests = stepped.held(tags, "k").map((held) =>
    held === undefined ? "damaged" : DocumentCodec.encode(held).digest
  )
  return new Set(digests).size === 1
}

export const without = (nodeNumber: number, write: () => void) => {
  stepped.cut(nodeNumber)
  write()
  stepped.runtime.advance(10_000)
  stepped.heal()
  forget()
}
