/**
 * Writes and reads the introduction of a store, in the messages that form the cluster.
 *
 * ```
 * introduction = the store's name, its standing (a byte), 1 where its cluster has formed, else 0;
 *                then a count, and of each member in order its id and its entry in the certificate
 * ```
 */
import * as Schema from "effect/Schema"
import type { Introduction } from "../../schemas/PeerMessage.ts"
import { type ByteReader, type ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import * as Certificate from "../core/membership/Certificate.ts"
import { NodeId } from "../core/model/Names.ts"

const owns = ["new", "named", "unnamed", "amnesiac"] as const
const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/u
const isNodeId = Schema.is(NodeId)

export const writeIntroduction = (writer: ByteWriter, said: Introduction): void => {
  writer.text(said.store).byte(owns.indexOf(said.own)).byte(said.formed ? 1 : 0)
  writer.varint(said.stores.length)
  for (const [node, entry] of said.stores) writer.text(node).text(entry)
}

const readMatching = (reader: ByteReader, pattern: RegExp, expected: string): string => {
  const at = reader.offset
  const text = reader.text(expected)
  if (!pattern.test(text)) throw new Malformed(expected, at)
  return text
}

/** Members in order, each once: one certificate is written in one way. Throws `Malformed`. */
export const readIntroduction = (reader: ByteReader): Introduction => {
  const store = readMatching(reader, Certificate.namePattern, "a store's name")
  const at = reader.offset
  const own = owns[reader.byte("a store's standing")]
  if (own === undefined) throw new Malformed("a store's standing", at)
  const flagAt = reader.offset
  const formed = reader.byte("a flag")
  if (formed > 1) throw new Malformed("a flag", flagAt)
  const stores: Array<readonly [NodeId, string]> = []
  for (let i = reader.count("stores", 2); i > 0; i--) {
    const before = stores.at(-1)?.[0] ?? ""
    const nodeAt = reader.offset
    const node = readMatching(reader, namePattern, "a node's id")
    if (!isNodeId(node) || node <= before) throw new Malformed("node ids in order", nodeAt)
    stores.push([node, readMatching(reader, Certificate.entryPattern, "a store's entry")])
  }
  return { store, own, formed: formed === 1, stores }
}
