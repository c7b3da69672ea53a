/**
 * Writes and reads a node's answers to clients. Stored values are JSON text already, so an answer
 * is put together as text and nothing is parsed on the way. Node and client do this for each
 * request, so it is no part of the package's interface: a program decodes by `ReplyBody`.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isObject } from "../src/core/model/CanonicalJson.ts"
import { StoreError } from "../src/core/model/StoreError.ts"
import { ErrorBody, type Sender, type TaggedAnswer } from "./ClientAnswer.ts"

const decodeError = Schema.decodeUnknownOption(ErrorBody)

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)

/** The id of the request that a reply answers; undefined where it names none. */
export const readId = (reply: unknown): number | undefined =>
  isObject(reply) && isInteger(reply["id"]) ? reply["id"] : undefined

/** The node that sent a reply; undefined where it does not say. */
export const readSender = (reply: unknown): Sender | undefined => {
  if (!isObject(reply)) return undefined
  const { mark, node } = reply
  return typeof node === "string" && typeof mark === "string" ? { node, mark } : undefined
}

/**
 * The answer or the error in a reply; undefined where there is neither.
 *
 * **Guarantees** that it takes the outcomes that `ReplyBody` takes, and no others.
 *
 * **Requires** that the reply was parsed from JSON: it does not look into the values.
 *
 * **Why** a client reads every answer here: the schema would copy it, and walk its values.
 */
export const readOutcome = (reply: unknown): TaggedAnswer | StoreError | undefined => {
  if (!isObject(reply)) return undefined
  const { context, lost, replied, siblings, unshown, values } = reply
  if (
    Array.isArray(values) && typeof context === "string" && isInteger(replied)
    && isInteger(siblings)
    && (lost === undefined || lost === true)
  ) {
    const answer = { _tag: "Answer", values, context, replied, siblings } as const
    return lost === true ? { ...answer, lost } : answer
  }
  if (
    unshown === true && typeof context === "string" && isInteger(replied)
    && (lost === undefined || lost === true)
  ) {
    const answer = { _tag: "Answer", values: [], context, replied, siblings: 0, unshown } as const
    return lost === true ? { ...answer, lost } : answer
  }
  return Option.getOrUndefined(decodeError(reply))?.error
}

const encodeError = Schema.encodeSync(StoreError)

const idField = (id: number | undefined): string => (id === undefined ? "" : `"id":${id},`)

const senderText = (sender: Sender | undefined): string =>
  sender === undefined ? "" : `,"node":"${sender.node}","mark":"${sender.mark}"`

/** An answer with its values as JSON texts. */
export interface AnswerTexts {
  readonly values: ReadonlyArray<string>
  readonly context: string
  readonly replied: number
  readonly siblings: number
  readonly lost?: true
  readonly unshown?: true
}

const lostText = ({ lost }: AnswerTexts): string => (lost === true ? ",\"lost\":true" : "")

/** The JSON text of an answer. */
export const answerText = (
  id: number | undefined,
  answer: AnswerTexts,
  sender?: Sender
): string =>
  answer.unshown === true
    ? unshownText(id, answer, sender)
    : `{${idField(id)}"values":[${answer.values.join(",")}],"context":"${answer.context}",`
      + `"replied":${answer.replied},"siblings":${answer.siblings}`
      + `${lostText(answer)}${senderText(sender)}}`

/** The JSON text of the answer to a write without its value. */
export const unshownText = (
  id: number | undefined,
  answer: AnswerTexts,
  sender?: Sender
): string =>
  `{${idField(id)}"unshown":true,"context":"${answer.context}","replied":${answer.replied}`
  + `${lostText(answer)}${senderText(sender)}}`

/**
 * The same for a request that came alone, as people and programs without our client send it: with
 * the error's message.
 */
export const bareErrorText = (
  id: number | undefined,
  error: StoreError,
  sender?: Sender
): string => {
  const fields = { ...encodeError(error), message: error.message }
  return `{${idField(id)}"error":${JSON.stringify(fields)}${senderText(sender)}}`
}

export const errorText = (id: number | undefined, error: StoreError, sender?: Sender): string =>
  `{${idField(id)}"error":${JSON.stringify(encodeError(error))}`
  + `${senderText(sender)}}`
