/**
 * Writes and reads the parts of messages that speak of operations.
 *
 * ```
 * operation = session, sequence, actor, counter
 * mark      = 0, or 1 and text
 * Fence     = the document's name, session, sequence, mark, history where it has the tag of one
 * Fenced    = the mark asked under, mark, word, then where the word is
 *             known:       document, actor, counter
 *             known since: edits, actor, counter
 *             forwarded:   count, and of each a node and a mark
 * ```
 */
import type { Fence, Fenced, Store } from "../../schemas/PeerMessage.ts"
import { markPattern, sessionLengthMax, triedMax } from "../../schemas/ClientRequest.ts"
import { actorPattern, type Dot } from "../core/clock/Dot.ts"
import * as VersionVector from "../core/clock/VersionVectorCodec.ts"
import { type ByteReader, type ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import { NodeId } from "../core/model/Names.ts"
import type { OperationId } from "../core/operations/OperationId.ts"

type Operation = NonNullable<Store["operation"]>
type MarkOrNone = string | undefined

const words = ["Fenced", "Unknown", "Contended", "Known", "Forwarded", "KnownSince"] as const
const nodePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/u

const writeDot = (writer: ByteWriter, { actor, counter }: Dot): ByteWriter =>
  writer.text(actor).varint(counter)

const readDot = (reader: ByteReader): Dot => {
  const at = reader.offset
  const actor = reader.text("an actor")
  if (!actorPattern.test(actor)) throw new Malformed("an actor", at)
  return { actor, counter: reader.varint("a counter") }
}

const readId = (reader: ByteReader): OperationId => {
  const at = reader.offset
  const session = reader.text("a session")
  const isSession = session !== "" && session.length <= sessionLengthMax
  if (!isSession) throw new Malformed("a session", at)
  return { session, sequence: reader.varint("a sequence") }
}

const writeMark = (writer: ByteWriter, mark: MarkOrNone): ByteWriter =>
  mark === undefined ? writer.byte(0) : writer.byte(1).text(mark)

const readMark = (reader: ByteReader): MarkOrNone => {
  const at = reader.offset
  const isGiven = reader.byte("a mark")
  if (isGiven === 0) return undefined
  const mark = reader.text("a mark")
  if (isGiven !== 1 || !markPattern.test(mark)) throw new Malformed("a mark", at)
  return mark
}

export const writeOperation = (writer: ByteWriter, { dot, id }: Operation): void => {
  writeDot(writer.text(id.session).varint(id.sequence), dot)
}

export const readOperation = (reader: ByteReader): Operation => {
  const id = readId(reader)
  return { id, dot: readDot(reader) }
}

export const writeFence = (writer: ByteWriter, { id, mark, since }: Fence): void => {
  writeMark(writer.text(id.session).varint(id.sequence), mark)
  if (since !== undefined) VersionVector.write(writer, since)
}

export const readFence = (reader: ByteReader): Pick<Fence, "id" | "mark"> => {
  const id = readId(reader)
  return { id, mark: readMark(reader) }
}

export const readFenceSince = (reader: ByteReader): Pick<Fence, "id" | "mark" | "since"> => ({
  ...readFence(reader),
  since: VersionVector.read(reader)
})

export const writeFenced = (writer: ByteWriter, { asked, mark, word }: Fenced): void => {
  writeMark(writer, asked).text(mark).byte(words.indexOf(word._tag))
  if (word._tag === "Known") writeDot(writer.bytes(word.document), word.dot)
  if (word._tag === "KnownSince") writeDot(writer.bytes(word.edits), word.dot)
  if (word._tag !== "Forwarded") return
  writer.varint(word.targets.length)
  for (const target of word.targets) writeMark(writer.text(target.node), target.mark)
}

export const readFenced = (reader: ByteReader): Pick<Fenced, "asked" | "mark" | "word"> => {
  const asked = readMark(reader)
  const markAt = reader.offset
  const mark = reader.text("a mark")
  if (!markPattern.test(mark)) throw new Malformed("a mark", markAt)
  return { asked, mark, word: readWord(reader) }
}

const readWord = (reader: ByteReader): Fenced["word"] => {
  const at = reader.offset
  const _tag = words[reader.byte("a word")]
  switch (_tag) {
    case undefined:
      throw new Malformed("a word", at)
    case "Known":
      return { _tag, document: reader.bytes("a document"), dot: readDot(reader) }
    case "KnownSince":
      return { _tag, edits: reader.bytes("edits"), dot: readDot(reader) }
    case "Forwarded":
      return { _tag, targets: readTargets(reader) }
    default:
      return { _tag }
  }
}

const readTargets = (reader: ByteReader) => {
  const at = reader.offset
  const count = reader.count("nodes", 2)
  if (count > triedMax) throw new Malformed(`at most ${triedMax} nodes`, at)
  return Array.from({ length: count }, () => {
    const nodeAt = reader.offset
    const node = reader.text("a node")
    if (!nodePattern.test(node)) throw new Malformed("a node", nodeAt)
    return { node: NodeId.make(node), mark: readMark(reader) }
  })
}
