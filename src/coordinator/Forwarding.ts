/**
 * Hands requests to a node that holds the document, where this one does not, and takes the answer
 * back. A request is forwarded once: the node that gets it carries it out or refuses.
 */
import * as Schema from "effect/Schema"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import * as Json from "../core/codec/Json.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import { BucketName, type NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { ForwardedWrites } from "./ForwardedWrites.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { Waiting } from "../transport/InFlightRequests.ts"
import type { ValidatedRead, ValidatedWrite } from "./ValidatedRequest.ts"
import type { Answer, Request, Respond } from "./Request.ts"

const ForwardBody = Schema.Struct({
  action: Schema.Literals(["read", "write"]),
  bucket: BucketName,
  body: RequestBody,
  /** The incarnation of the node that is asked; empty where it is not known. */
  to: Schema.String
})

const AnswerBody = Schema.Struct({
  _tag: Schema.tag("Answer"),
  values: Schema.Array(Schema.String),
  context: Schema.String,
  replied: Schema.Int,
  siblings: Schema.Int
})

/** The incarnation that was asked is not the present one, which did nothing. */
const OtherIncarnation = Schema.Struct({
  _tag: Schema.tag("OtherIncarnation"),
  asked: Schema.String
})

const ForwardedBody = Schema.Union([AnswerBody, OtherIncarnation, Errors.StoreError])

type Forwarded = typeof ForwardedBody.Type

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const encodeForward = Schema.encodeSync(ForwardBody)
const decodeForward = Schema.decodeUnknownOption(ForwardBody)
const encodeForwarded = Schema.encodeSync(ForwardedBody)
const decodeForwarded = Schema.decodeUnknownOption(ForwardedBody)

/**
 * The request in a `Forward`, and the incarnation of this node that it asks; undefined if it is
 * none.
 */
export const readForward = (
  bytes: Uint8Array
): { readonly request: Request; readonly to: string } | undefined => {
  const decoded = decodeForward(Json.read(decoder.decode(bytes)))
  if (decoded._tag === "None") return undefined
  const { to, ...request } = decoded.value
  return { request: { ...request, forwarded: true }, to }
}

export const writeForwarded = (outcome: Forwarded): Uint8Array =>
  encoder.encode(JSON.stringify(encodeForwarded(outcome)))

export interface ForwardOptions {
  readonly parts: CoordinatorContext
  readonly request: Request
  readonly plan: ValidatedRead | ValidatedWrite
  /** Who holds the document, the best first. */
  readonly nodes: ReadonlyArray<NodeId>
  readonly number: number
  readonly forwardedWrites: ForwardedWrites
  readonly respond: Respond
  readonly finished: () => void
}

/** Why a request cannot be forwarded: an argument that could not be stored either. */
export const unsendable = ({ body, bucket }: Request): Errors.InvalidValue | undefined => {
  try {
    for (const { args } of body.calls ?? []) CanonicalJson.encode(args)
    return undefined
  } catch (error) {
    if (!(error instanceof CanonicalJson.InvalidJson)) throw error
    return new Errors.InvalidValue({ bucket, path: error.path, problem: error.problem })
  }
}

/** The primary's answer "time is up" says more than ours, so it is waited for. */
const graceMillis = 200

/** What a node says that did nothing, and could not. */
const isRefusal = ({ _tag }: Answer | Errors.StoreError): boolean =>
  _tag === "NodeUnavailable" || _tag === "NodeUnwritable"

/**
 * Waits for the node that carries the request out. A write goes to another only where the first
 * has surely not carried it out: elsewhere it might apply twice.
 *
 * **Requires** that a write names its operation.
 */
export class Forwarding implements Waiting {
  readonly deadline: number
  readonly #options: ForwardOptions
  readonly #json: Omit<typeof ForwardBody.Encoded, "to">
  /** The incarnation of the node that was asked last. */
  #to = ""
  readonly #asked = new Set<NodeId>()
  #attempt = 0

  constructor(options: ForwardOptions) {
    const { parts, plan: { timeoutMillis }, request } = options
    this.#options = options
    this.deadline = parts.runtime.elapsed() + timeoutMillis + graceMillis
    const { action, bucket, body } = request
    const { to: _, ...json } = encodeForward({
      action,
      bucket: BucketName.make(bucket),
      body: { ...body, timeoutMillis },
      to: ""
    })
    this.#json = json
  }

  start(): void {
    this.#send()
  }

  /** A read tries the next primary; a write is answered by the one it was sent to, not repeated. */
  resend(): void {
    const { parts, request } = this.#options
    parts.view.missed(this.#node)
    parts.runtime.mark("coordinator: a request is forwarded again")
    if (request.action === "read") this.#attempt++
    this.#send()
  }

  expire(): void {
    this.#respondUnsure()
  }

  #giveUp(): void {
    this.#options.finished()
    this.#respondUnsure()
  }

  #respondUnsure(): void {
    const { plan, request, respond } = this.#options
    const { _tag, ...needed } = plan.needs
    respond(
      new Errors.QuorumNotMet({
        action: request.action,
        needed,
        had: Object.fromEntries(Object.keys(needed).map((name) => [name, 0])),
        unreachable: [...this.#asked],
        refused: [],
        mayHaveApplied: request.action === "write"
      })
    )
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag !== "Forwarded") return
    const decoded = decodeForwarded(Json.read(decoder.decode(message.body)))
    if (decoded._tag === "None") return
    const outcome = decoded.value
    const { forwardedWrites, nodes, parts, request } = this.#options
    const isSure = request.action === "read" || forwardedWrites.wasSentOnce(request)
    if (outcome._tag === "OtherIncarnation") {
      // Its answer has said, too, which incarnation of it is to be asked; it may come again, and
      // late.
      const isNews = from === this.#node && outcome.asked === this.#to
      if (isNews && this.#to !== parts.incarnationOf(from)) this.#send()
      return
    }
    if (isRefusal(outcome)) {
      if (from !== this.#node) return
      if (isSure && this.#attempt + 1 < nodes.length) {
        this.#attempt++
        parts.runtime.mark("coordinator: a refused request goes to another primary")
        return this.#send()
      }
      if (isSure) forwardedWrites.forget(request)
    }
    // What says that nothing was changed may speak of one sending, and another changed something.
    if (!isSure && Errors.isPassing(outcome)) return this.#giveUp()
    this.#options.finished()
    this.#options.respond(outcome)
  }

  get #node(): NodeId {
    const { nodes } = this.#options
    return nodes[this.#attempt % nodes.length]!
  }

  #send(): void {
    const { forwardedWrites, number, parts, request } = this.#options
    this.#to = parts.incarnationOf(this.#node)
    forwardedWrites.sent(request, this.#node, this.#to)
    this.#asked.add(this.#node)
    const body = encoder.encode(JSON.stringify({ ...this.#json, to: this.#to }))
    parts.send(this.#node, { _tag: "Forward", request: number, body })
  }
}
