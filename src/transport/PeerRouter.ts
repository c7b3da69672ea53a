/**
 * Gives each message of a frame to the handler of its tag.
 *
 * Requests that are right on one ring only are checked against this node's ring here, each by
 * itself: their senders learn of the disagreement, while answers, and all that will reconcile
 * rings, still pass. A handler that fails loses the one message that it failed on.
 */
import { RecurringTexts } from "../core/codec/RecurringTexts.ts"
import type {
  PeerHandlers,
  PeerMessage,
  PeerMessages,
  PeerTag,
  Reply
} from "../../schemas/PeerMessage.ts"
import { ByteReader, Malformed } from "../core/codec/Bytes.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { WorkQueue } from "../core/WorkQueue.ts"
import { readMessage, type ReceivedMessage } from "./PeerMessageCodec.ts"

export interface PeerRouterOptions {
  readonly runtime: Pick<Runtime, "mark">
  readonly handlers: PeerHandlers
  readonly ringDigest: () => string
  readonly send: (to: NodeId, message: PeerMessage) => void
  /** Told of each exception of a handler. It may throw where a failure is to end the process. */
  readonly onHandlerFailure: (failure: unknown, tag: PeerTag) => void
  /** Told of each frame that holds something else than messages, or too many of them. */
  readonly onMalformed: () => void
  /** In which the messages of a frame take their turns. */
  readonly work: WorkQueue
  /** Shared with others that read parts of the messages; else it has its own. */
  readonly recurring?: RecurringTexts
  readonly limits: Pick<NodeLimits, "frameMessagesMax">
}

export class PeerRouter {
  readonly #options: PeerRouterOptions
  /** Of all messages: most name the same few buckets and sessions. */
  readonly #recurring: RecurringTexts
  #otherRing = 0
  #handlerFailures = 0

  constructor(options: PeerRouterOptions) {
    this.#options = options
    this.#recurring = options.recurring ?? new RecurringTexts()
  }

  /** Requests under the digest of another ring. */
  get otherRing(): number {
    return this.#otherRing
  }

  /** Messages that were lost because their handler threw. */
  get handlerFailures(): number {
    return this.#handlerFailures
  }

  /**
   * Takes the messages of a frame, up to the first that is malformed. A frame for which there is no
   * room is lost, as one is on its way.
   */
  take(from: NodeId, messages: Uint8Array): void {
    const { limits: { frameMessagesMax }, onMalformed, send, work } = this.#options
    const reply: Reply = (answer) => send(from, answer)
    const reader = new ByteReader(messages, 0, messages.length, this.#recurring)
    let left = frameMessagesMax
    const takeNext = (): boolean => {
      if (reader.remaining === 0) return false
      const read = left-- > 0 ? tryRead(reader) : undefined
      // The messages before the fault in the frame were taken; the rest is lost.
      if (read === undefined) {
        onMalformed()
        return false
      }
      this.#take(from, read, reply)
      return reader.remaining > 0
    }
    // Those of one node in their order: a change needs the changes before it.
    work.add(takeNext, messages.length, from)
  }

  #take(
    from: NodeId,
    { message, ring }: ReceivedMessage,
    reply: Reply
  ): void {
    const { onHandlerFailure, ringDigest } = this.#options
    if (ring !== undefined && ring !== ringDigest()) return this.#refuse(from, message)
    try {
      this.#handle(message._tag, message, from, reply)
    } catch (failure) {
      this.#handlerFailures++
      onHandlerFailure(failure, message._tag)
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

const tryRead = (reader: ByteReader) => {
  try {
    return readMessage(reader)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}
