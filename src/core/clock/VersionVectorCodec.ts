/**
 * Writes and reads a version vector by itself: a count, then each actor as text with its counter,
 * in order.
 */
import { type ByteReader, type ByteWriter, Malformed } from "../codec/Bytes.ts"
import { actorPattern } from "./Dot.ts"
import * as VersionVector from "./VersionVector.ts"

export const write = (writer: ByteWriter, vector: VersionVector.VersionVector): ByteWriter => {
  writer.varint(vector.size)
  for (const [actor, counter] of VersionVector.sorted(vector)) writer.text(actor).varint(counter)
  return writer
}

/** The vector that comes next. Throws `Malformed`. */
export const read = (reader: ByteReader): VersionVector.VersionVector => {
  const vector = new Map<string, number>()
  let previous = ""
  for (let i = reader.count("actors", 2); i > 0; i--) {
    const at = reader.offset
    const actor = reader.text("an actor")
    const counter = reader.varint("a counter")
    if (!actorPattern.test(actor) || counter === 0 || actor <= previous) {
      throw new Malformed("actors in order, each with a counter", at)
    }
    vector.set(actor, counter)
    previous = actor
  }
  return vector
}
