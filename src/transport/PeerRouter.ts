/**
 * Gives each message of a frame to the handler of its tag.
 *
 * Requests that are right on one ring only are checked against this node's ring here, each by
 * itself: their senders learn of the disagreement, while answers, and all that will reconcile
 * rings, still pass. A handler that fails loses the one message that it failed on.
 */
import type {
  PeerHandlers,
  PeerMessage,
  PeerMessages,
  PeerTag,
  Reply
} from "../../schemas/PeerMessage.ts"
import { ByteReader } from "../core/codec/Bytes.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import { readMessage } from "./PeerMessageCodec.ts"

export interface PeerRouterOptions {
  readonly runtime: Pick<Runtime, "mark">
  readonly handlers: PeerHandlers
  readonly ringDigest: () => string
  readonly send: (to: NodeId, message: PeerMessage) => void
  /** Told of each exception of a handler. It may throw where a failure is to end the process. */
  readonly onHandlerFailure: (failure: unknown, tag: PeerTag) => void
}

export class PeerRouter {
  readonly #options: PeerRouterOptions
  #otherRing = 0
  #handlerFailures = 0

  constructor(options: PeerRouterOptions) {
    this.#options = options
  }

  /** Requests under the digest of another ring. */
  get otherRing(): number {
    return this.#otherRing
  }

  /** Messages that were lost because their handler threw. */
  get handlerFailures(): number {
    return this.#handlerFailures
  }

  /** Takes the messages of a frame, up to the first that is malformed. Throws `Malformed`. */
  take(from: NodeId, messages: Uint8Array): void {
    const { onHandlerFailure, ringDigest, send } = this.#options
    const reply: Reply = (answer) => send(from, answer)
    const reader = new ByteReader(messages)
    while (reader.remaining > 0) {
      const { message, ring } = readMessage(reader)
      if (ring !== undefined && ring !== ringDigest()) {
        this.#refuse(from, message)
        continue
      }
      try {
        this.#handle(message._tag, message, from, reply)
      } catch (failure) {
        this.#handlerFailures++
        onHandlerFailure(failure, message._tag)
      }
    }
  }

  #handle<Tag extends PeerTag>(
    tag: Tag,
    message: PeerMessages[Tag],
    from: NodeId,
    reply: Reply
  ): void {
    this.#options.handlers[tag](message, from, reply)
  }

  #refuse(from: NodeId, { request }: PeerMessage): void {
    const { ringDigest, runtime, send } = this.#options
    this.#otherRing++
    runtime.mark("link: a request of another ring is refused")
    // A request without a number asks for no answer.
    if (request !== 0) send(from, { _tag: "OtherRing", request, digest: ringDigest() })
  }
}
