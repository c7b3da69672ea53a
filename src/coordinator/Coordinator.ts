/**
 * Takes clients' requests: checks them, carries out those of which this node is a primary, and
 * forwards the others to a primary. "A state machine on the node that received the request", says
 * the Dynamo paper (section 5); the machines are `core/quorum` and `core/forwarding`, and this room
 * carries out their decisions.
 */
import type { Explanation } from "../../schemas/Explanation.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type { Forward, PeerHandlers, PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import { InFlightRequests } from "../transport/InFlightRequests.ts"
import { CatchUpRead } from "./CatchUpRead.ts"
import { ChecksUnderWay } from "./ChecksUnderWay.ts"
import { ClientRead } from "./ClientRead.ts"
import type { CoordinatorContext, Gathering, NodeServices } from "./CoordinatorContext.ts"
import * as CoordinatorCounters from "./CoordinatorCounters.ts"
import { Explain } from "./Explain.ts"
import { readForward } from "./ForwardCodec.ts"
import { ForwardDeduplication } from "./ForwardDeduplication.ts"
import { ForwardedWrites } from "./ForwardedWrites.ts"
import { Forwarding } from "./Forwarding.ts"
import { ForwardOrigin } from "./ForwardOrigin.ts"
import { LateReplyBudget } from "./LateReplyBudget.ts"
import { Listing, validateListing } from "./Listing.ts"
import { OpenRequest } from "./OpenRequest.ts"
import type { Answer, AnswerAddress, ExplainRequest, ListRequest, Request } from "./Request.ts"
import {
  isFault,
  normalRequest,
  type ValidatedRead,
  type ValidatedWrite,
  validateRead,
  validateWrite,
  type ValidationOptions
} from "./ValidatedRequest.ts"
import { WriteCoordinator } from "./WriteCoordinator.ts"

export interface CoordinatorOptions extends NodeServices {
  readonly validation: Pick<ValidationOptions, "buckets" | "partitionCount">
}

export class Coordinator {
  readonly handlers: PeerHandlers<
    "Stored" | "Fetched" | "Refused" | "Forward" | "Forwarded" | "Listed" | "OtherRing"
  > = {
    Stored: (message, from) => this.#hear(from, message),
    Fetched: (message, from) => this.#hear(from, message),
    Refused: (message, from) => this.#hear(from, message),
    Forward: (message, from) => this.#takeForward(from, message),
    Forwarded: (message, from) => this.#hear(from, message),
    Listed: (message, from) => this.#hear(from, message),
    // The nodes will agree soon: until its deadline, the request is sent again after its pause.
    OtherRing: () => {}
  }
  readonly #context: CoordinatorContext
  readonly #validation: ValidationOptions
  readonly #deduplication: ForwardDeduplication
  #draining = false

  constructor(options: CoordinatorOptions) {
    const { validation, ...node } = options
    const { limits, runtime, seal, view } = node
    // An answer to a former incarnation of this node must not be taken for one to this one.
    const firstNumber = Number.parseInt(runtime.id().slice(-8), 36)
    this.#context = {
      ...node,
      counters: CoordinatorCounters.make(),
      inFlight: new InFlightRequests<Gathering>({ runtime, limits, firstNumber }),
      lateReplies: new LateReplyBudget(limits.lateReplyBytesMax),
      forwardedWrites: new ForwardedWrites(limits),
      checksUnderWay: new ChecksUnderWay(limits)
    }
    this.#deduplication = new ForwardDeduplication(limits)
    this.#validation = { ...validation, ...limits, seal, nowMillis: () => view.agreedNow() }
  }

  /** Carries out a request, or has it carried out; answers exactly once. */
  handle(request: Request, address: AnswerAddress<Answer>): void {
    const open = this.#open(address)
    if (open === undefined) return
    const { counters } = this.#context
    if (request.action === "read") {
      const read = validateRead(request, this.#validation)
      if (isFault(read)) return open.answer(read)
      if (!this.#isPrimary(read)) return this.#forward(request, read, open)
      counters.reads++
      return new ClientRead(this.#context, read, open).start()
    }
    const write = validateWrite(request, this.#validation)
    if (isFault(write)) return open.answer(write)
    if (!this.#isPrimary(write)) return this.#forward(request, write, open)
    counters.writes++
    this.#write(write, open)
  }

  /** Shows the state of a document at every primary; changes nothing. */
  explain(request: ExplainRequest, address: AnswerAddress<Explanation>): void {
    const open = this.#open(address)
    if (open === undefined) return
    const { bucket, principal, ...body } = request
    const asked: Request = { action: "read", principal, bucket, body, forwarded: false }
    const read = validateRead(asked, this.#validation)
    if (isFault(read)) return open.answer(read)
    const { key } = normalRequest(asked, read).body
    new Explain(this.#context, { read, key, open }).start()
  }

  /** Lists a page of a bucket's keys, as far as the members can be reached. */
  list(request: ListRequest, address: AnswerAddress<KeyPage>): void {
    const open = this.#open(address)
    if (open === undefined) return
    const listing = validateListing(request, this.#validation)
    if (isFault(listing)) return open.answer(listing)
    new Listing(this.#context, listing, open).start()
  }

  /** Takes another node's answer. */
  #hear(from: NodeId, message: PeerMessage): void {
    const { counters, inFlight, runtime } = this.#context
    inFlight.answered(message.request)
    const gathering = inFlight.get(message.request)
    if (gathering !== undefined) return gathering.hear(from, message)
    counters.strayAnswers++
    runtime.mark("coordinator: an answer comes too late")
  }

  /** Takes no more requests; those under way go on to their end. */
  drain(): void {
    this.#draining = true
  }

  /** Ends everything under way. */
  close(): void {
    this.#draining = true
    this.#context.inFlight.expireAll()
  }

  underWay(): number {
    return this.#context.inFlight.size
  }

  /** Bytes that answered requests hold for slow replicas. */
  lateBytes(): number {
    return this.#context.lateReplies.held
  }

  counters(): Readonly<CoordinatorCounters.CoordinatorCounters> & { readonly resends: number } {
    const { counters, inFlight } = this.#context
    return { ...counters, resends: inFlight.resends }
  }

  /** Takes a request in, unless the node stops or too many are open: then it is refused. */
  #open<A extends object>(address: AnswerAddress<A>): OpenRequest<A> | undefined {
    const { counters, limits: { requestsMax }, node } = this.#context
    // Answered requests that wait for a slow replica do not count: one such node would stop all.
    const reason = this.#draining
      ? "it is stopping"
      : counters.open >= requestsMax
      ? `${requestsMax} requests are under way`
      : undefined
    if (reason === undefined) return new OpenRequest(this.#context, address)
    address.deliver(new Errors.NodeUnavailable({ node, reason }))
    return undefined
  }

  #isPrimary({ bucket, row }: ValidatedRead | ValidatedWrite): boolean {
    const { node, view } = this.#context
    return view.placement(row.partition, bucket.definition.n).primaries.includes(node)
  }

  #write(write: ValidatedWrite, open: OpenRequest<Answer>): void {
    const { node, replica } = this.#context
    if (!replica.writable()) {
      const reason = "its disk is full or failing"
      return open.answer(new Errors.NodeUnwritable({ node, reason }))
    }
    const begun = new WriteCoordinator(this.#context, write, open).start()
    if (begun !== "context-ahead") return
    const again = (caughtUp: ValidatedWrite) => this.#write(caughtUp, open)
    new CatchUpRead(this.#context, { write, open, again }).start()
  }

  #forward(
    request: Request,
    validated: ValidatedRead | ValidatedWrite,
    open: OpenRequest<Answer>
  ): void {
    const { counters, forwardedWrites, node, view } = this.#context
    if (request.forwarded) {
      const reason = "it is no primary of this document; the nodes disagree about the ring"
      return open.answer(new Errors.NodeUnavailable({ node, reason }))
    }
    counters.forwards++
    const named = this.#named(normalRequest(request, validated))
    const { primaries } = view.placement(validated.row.partition, validated.bucket.definition.n)
    const sinceHeardMillis = (id: NodeId) => view.liveness.sinceHeardMillis(id)
    const near = primaries.toSorted((a, b) => sinceHeardMillis(a) - sinceHeardMillis(b))
    const nodes = forwardedWrites.route(named, near)
    new Forwarding(this.#context, { request: named, validated, nodes, open }).start()
  }

  /** The request as it can be sent twice: a write that names no operation gets a name here. */
  #named(request: Request): Request {
    const { runtime, view } = this.#context
    if (request.action === "read" || request.body.operationId !== undefined) return request
    const at = Math.floor(view.agreedNow())
    const operationId = { session: runtime.id(), sequence: 0, at }
    return { ...request, body: { ...request.body, operationId } }
  }

  #takeForward(from: NodeId, message: Forward): void {
    const { replica, send } = this.#context
    const origin = new ForwardOrigin(send, { from, number: message.request })
    const forward = readForward(message.body)
    if (forward === undefined) {
      const expected = "a request"
      return origin.deliver(
        new Errors.InvalidRequest({ setting: "request", value: "", expected })
      )
    }
    const { request, to } = forward
    if (request.action === "read") return this.handle(request, origin)
    // A write that an earlier incarnation refused was told then that it failed: this one has no
    // memory of that, so it carries out only writes that name it.
    if (to !== replica.incarnation()) return origin.refuseIncarnation(to)
    this.#deduplication.run(origin, (address) => this.handle(request, address))
  }
}
