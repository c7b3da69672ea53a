/**
 * Lends tests one request of a remote client: what it sends, to which nodes, and how it ends.
 */
import type { TaggedAnswer } from "../../schemas/ClientAnswer.ts"
import type { BackendRequest } from "../../src/client/Backend.ts"
import { RemoteRequest, type RequestSender } from "../../src/client/RemoteRequest.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import { type StoreError, UnknownBucket } from "../../src/core/model/StoreError.ts"

export const node = (name: string) => NodeId.make(name)

export interface Sent {
  readonly to: string
  readonly id: number
  readonly mark?: string
  readonly tried?: ReadonlyArray<unknown>
  readonly operationId?: { readonly session: string; readonly sequence: number }
}

/** A request with its messages and outcomes, and the nodes that it may be sent to, in order. */
export const begin = (
  more: Partial<Pick<BackendRequest, "action" | "id">>,
  options: {
    readonly nodes?: ReadonlyArray<string>
    readonly bytesMax?: number
    readonly mayRetry?: boolean
    /** Milliseconds. */
    readonly retryFor?: number
  } = {}
) => {
  const { bytesMax = Infinity, mayRetry = true, nodes = ["n1", "n2"], retryFor = 60_000 } = options
  const pauses: Array<{ readonly millis: number; readonly over: () => void }> = []
  const outcomes: Array<string> = []
  const sent: Array<Sent> = []
  const told: Array<string> = []
  const marks = new Map(nodes.map((name) => [node(name), `${name}-mark`]))
  let messages = 0
  const sender: RequestSender = {
    runtime: {
      elapsed: () => 0,
      random: () => 0.25,
      after: (millis, over) => {
        pauses.push({ millis, over })
        return () => {}
      }
    },
    limits: lan.client,
    session: "s",
    nodeFor: (_, avoid) => nodes.map(node).find((candidate) => !avoid.has(candidate)),
    markOf: (name) => marks.get(name) ?? "",
    post: (text, to) => {
      if (text.bytes > bytesMax) return new UnknownBucket({ bucket: "too large" })
      text.message = ++messages
      text.subject = `to ${to ?? "any"}`
      const { id, mark, operationId, tried } = JSON.parse(text.text)
      sent.push({
        to: to ?? "any",
        id: id % lan.client.attemptsMax,
        ...(mark === undefined ? {} : { mark }),
        ...(tried === undefined ? {} : { tried }),
        ...(operationId === undefined ? {} : { operationId })
      })
      return undefined
    },
    ended: () => told.push("ended"),
    answered: (name) => told.push(`${name} answered`),
    unreachable: (name) => told.push(`${name} unreachable`),
    shed: () => told.push("shed"),
    mayRetry: () => mayRetry
  }
  const { action = "write", ...named } = more
  const asked = { action, bucket: BucketName.make("notes"), body: { key: "k" }, ...named }
  const request = new RemoteRequest(sender, 7, asked, (outcome) => {
    const doubt = "mayHaveApplied" in outcome && outcome.mayHaveApplied ? ", maybe applied" : ""
    outcomes.push(outcome._tag + doubt)
  }, retryFor)
  request.start()
  const answer = (outcome: TaggedAnswer | StoreError) => request.answer(outcome, sent.at(-1)!.id)
  return {
    request,
    outcomes,
    pauses,
    sent,
    told,
    marks,
    answer,
    tos: () => sent.map(({ to }) => to)
  }
}

export const done: TaggedAnswer = {
  _tag: "Answer",
  values: [],
  context: "c",
  replied: 1,
  siblings: 0
}
