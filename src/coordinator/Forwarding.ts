/**
 * Hands requests to a node that holds the document, where this one does not, and takes the answer
 * back. A request is handed on once: the node that gets it carries it out or refuses.
 */
import * as Schema from "effect/Schema"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { BucketName, type NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { Parts } from "./Parts.ts"
import type { Waiting } from "./Pending.ts"
import type { Answer, Request, Respond } from "./Request.ts"

const ForwardBody = Schema.fromJsonString(Schema.Struct({
  action: Schema.Literals(["read", "write"]),
  bucket: BucketName,
  body: RequestBody
}))

const AnswerBody = Schema.Struct({
  _tag: Schema.tag("Answer"),
  values: Schema.Array(Schema.String),
  context: Schema.String,
  replied: Schema.Int,
  siblings: Schema.Int
})

const ForwardedBody = Schema.fromJsonString(Schema.Union([AnswerBody, Errors.StoreError]))

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const encodeForward = Schema.encodeSync(ForwardBody)
const decodeForward = Schema.decodeUnknownOption(ForwardBody)
const encodeForwarded = Schema.encodeSync(ForwardedBody)
const decodeForwarded = Schema.decodeUnknownOption(ForwardedBody)

/** The request in a `Forward`, or undefined where it is none. */
export const readForward = (bytes: Uint8Array): Request | undefined => {
  const decoded = decodeForward(decoder.decode(bytes))
  return decoded._tag === "Some" ? { ...decoded.value, forwarded: true } : undefined
}

export const writeForwarded = (outcome: Answer | Errors.StoreError): Uint8Array =>
  encoder.encode(encodeForwarded(outcome))

export interface ForwardOptions {
  readonly parts: Parts
  readonly request: Request
  /** Who holds the document, the best first. */
  readonly nodes: ReadonlyArray<NodeId>
  readonly number: number
  readonly timeoutMillis: number
  readonly respond: Respond
  readonly finished: () => void
}

/** About 10 MB; a client that asks again after so many other writes may be carried out twice. */
const handedMax = 50_000

/**
 * Remembers which node each write was handed to, so that one that is sent again reaches the node
 * that may have carried it out: another would not know it, and carry it out a second time.
 */
export class Handed {
  readonly #nodes = new Map<string, NodeId>()

  /** The nodes to hand a request to, the best first; of a write that was handed on, that one. */
  route(request: Request, nodes: ReadonlyArray<NodeId>): ReadonlyArray<NodeId> {
    const { once } = request.body
    const [best] = nodes
    if (once === undefined || best === undefined) return nodes
    const id = `${once.session} ${once.sequence}`
    const known = this.#nodes.get(id)
    if (known !== undefined && nodes.includes(known)) return [known]
    this.#nodes.set(id, best)
    const [oldest] = this.#nodes.keys()
    if (this.#nodes.size > handedMax && oldest !== undefined) this.#nodes.delete(oldest)
    return [best]
  }
}

/**
 * Waits for the node that carries the request out. A write is sent to one node only: elsewhere it
 * might apply twice.
 */
export class Forwarding implements Waiting {
  readonly deadline: number
  readonly #options: ForwardOptions
  #body: Uint8Array
  #attempt = 0

  constructor(options: ForwardOptions) {
    const { parts, request, timeoutMillis } = options
    this.#options = options
    this.deadline = parts.world.elapsed() + timeoutMillis
    const { action, bucket, body } = request
    const text = encodeForward({
      action,
      bucket: BucketName.make(bucket),
      body: { ...body, timeoutMillis }
    })
    this.#body = encoder.encode(text)
  }

  start(): void {
    this.#send()
  }

  /** A read tries the next holder; a write that names its operation is answered, not repeated. */
  resend(): void {
    const { body, action } = this.#options.request
    if (action === "read") this.#attempt++
    else if (body.once === undefined) return
    this.#send()
  }

  expire(): void {
    const { nodes, request, respond } = this.#options
    const isWrite = request.action === "write"
    respond(
      new Errors.QuorumNotMet({
        action: request.action,
        needed: isWrite ? { w: 1 } : { r: 1 },
        had: isWrite ? { w: 0 } : { r: 0 },
        unreachable: nodes,
        refused: [],
        mayHaveApplied: isWrite
      })
    )
  }

  hear(_from: NodeId, message: PeerMessage): void {
    if (message._tag !== "Forwarded") return
    const decoded = decodeForwarded(decoder.decode(message.body))
    if (decoded._tag === "None") return
    this.#options.finished()
    this.#options.respond(decoded.value)
  }

  #send(): void {
    const { nodes, number, parts } = this.#options
    const node = nodes[this.#attempt % nodes.length]
    if (node !== undefined) {
      parts.send(node, { _tag: "Forward", request: number, body: this.#body })
    }
  }
}
