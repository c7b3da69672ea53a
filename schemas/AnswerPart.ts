/**
 * Writes and reads one part of an answer that is larger than a message of the broker: version 1,
 * that of the request's subject. A client asks for parts by `answerBytesMax` in its request.
 *
 * A part begins with one line of JSON, such as `{"part":1,"of":3,"run":"0mi8dfxm-2","id":7}`, and a
 * line feed. The other bytes are a piece of the answer: a client that has all parts of a run puts
 * the pieces together in the order of `part`, from 1 to `of`, and reads the whole as it reads any
 * answer. Parts may come in any order, twice, or never, as any message.
 */
import * as Schema from "effect/Schema"
import * as Json from "../src/core/codec/Json.ts"
import { isObject } from "../src/core/model/CanonicalJson.ts"

/** The line at the beginning of a part. */
export const PartHeader = Schema.Struct({
  part: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  of: Schema.Int.check(Schema.isGreaterThanOrEqualTo(2)),
  /** Names the answer among all that are sent in parts. */
  run: Schema.NonEmptyString.check(Schema.isMaxLength(64)),
  /** Of the request that is answered, where it has one. */
  id: Schema.optionalKey(Schema.Int)
})
export type PartHeader = typeof PartHeader.Type

export interface AnswerPart {
  readonly header: PartHeader
  /** A view of the message. */
  readonly bytes: Uint8Array
}

/** The longest such line: the names of its fields, four numbers and a run. */
export const headerBytesMax = 192

const open = "{\"part\":"
const lineFeed = 0x0a

const decodeHeader = Schema.decodeUnknownOption(PartHeader)
const decoder = new TextDecoder()

/** The first line of a part, as ASCII. */
export const headerLine = ({ id, of, part, run }: PartHeader): string =>
  `${open}${part},"of":${of},"run":"${run}"${id === undefined ? "" : `,"id":${id}`}}\n`

/** Whether a message begins as a part does, and no other answer. */
const isPart = (data: Uint8Array): boolean => {
  for (let i = 0; i < open.length; i++) if (data[i] !== open.charCodeAt(i)) return false
  return true
}

/**
 * The part in a message: `whole` where it is another answer, `malformed` where it begins as a part
 * does, and is none.
 */
export const readPart = (data: Uint8Array): AnswerPart | "whole" | "malformed" => {
  if (!isPart(data)) return "whole"
  const end = data.subarray(0, headerBytesMax).indexOf(lineFeed)
  const json = Json.read(decoder.decode(data.subarray(0, Math.max(0, end))))
  const decoded = isObject(json) ? decodeHeader(json) : undefined
  if (decoded?._tag !== "Some" || decoded.value.part > decoded.value.of) return "malformed"
  return { header: decoded.value, bytes: data.subarray(end + 1) }
}
