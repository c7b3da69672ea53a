/**
 * Writes and reads the questions of nodes about each other, and answers them.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NodeStatus } from "../../schemas/ClusterStatus.ts"
import { type KeptHint, KeptHints, NodeQuestion } from "../../schemas/NodeQuestion.ts"
import type { Question, Told } from "../../schemas/PeerMessage.ts"
import * as Json from "../core/codec/Json.ts"
import type { DocumentKey } from "../core/model/DocumentKey.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { rowKeyOf } from "../core/ring/Partition.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Hints } from "../replica/Hints.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const bytesOf = (body: object): Uint8Array => encoder.encode(JSON.stringify(body))

/** A decoder of JSON in bytes; undefined where they are none, or of another shape. */
const reading =
  <A>(decode: (json: unknown) => Result.Result<A, unknown>) => (bytes: Uint8Array): A | undefined =>
    Result.getOrUndefined(decode(Json.read(decoder.decode(bytes))))

const readQuestion = reading(Schema.decodeUnknownResult(NodeQuestion))
const readStatus = reading(Schema.decodeUnknownResult(NodeStatus))
const readHints = reading(Schema.decodeUnknownResult(KeptHints))

/** Asks for the hints of a document. */
export const documentQuestion = (
  request: number,
  { bucket, key }: { readonly bucket: string; readonly key: DocumentKey }
): Question => {
  const { partition, sort } = key
  const body: NodeQuestion = { about: "document", bucket, partition, sort }
  return { _tag: "Question", request, body: bytesOf(body) }
}

/** Asks a node for its state. */
export const nodeQuestion = (request: number): Question => {
  const body: NodeQuestion = { about: "node" }
  return { _tag: "Question", request, body: bytesOf(body) }
}

/** The state in an answer; undefined where there is no such answer in it. */
export const statusIn = ({ body }: Told): NodeStatus | undefined => readStatus(body)

/** The hints in an answer; undefined where there is no such answer in it. */
export const hintsIn = ({ body }: Told): ReadonlyArray<KeptHint> | undefined =>
  readHints(body)?.hints

/** The hints that a node keeps for a document. */
export const hintsOf = (
  hints: Pick<Hints, "find" | "targetsOf">,
  row: RowKey,
  runtime: Pick<Runtime, "now">
): ReadonlyArray<KeptHint> =>
  hints.targetsOf(row).flatMap((owner) => {
    const hint = hints.find(owner, row)
    if (hint === undefined) return []
    const ageMillis = Math.max(Math.round(runtime.now() - hint.sinceMillis), 0)
    return [{ owner, ageMillis, bytes: hint.bytes }]
  })

/** The answer to another node's question; undefined where it is none. */
export const answerTo = (
  { body, request }: Question,
  options: {
    readonly hints: Pick<Hints, "find" | "targetsOf">
    readonly partitionCount: number
    readonly status: () => NodeStatus
    readonly runtime: Pick<Runtime, "now">
  }
): Told | undefined => {
  const { hints, partitionCount, runtime, status } = options
  const question = readQuestion(body)
  if (question === undefined) return undefined
  if (question.about === "node") return { _tag: "Told", request, body: bytesOf(status()) }
  const { bucket, partition, sort } = question
  const row = rowKeyOf({ bucket, key: { partition, sort }, partitionCount })
  return { _tag: "Told", request, body: bytesOf({ hints: hintsOf(hints, row, runtime) }) }
}
