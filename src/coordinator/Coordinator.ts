/**
 * Takes clients' requests: checks them, carries out those of which this node is a primary, and
 * forwards the others to a primary. "A state machine on the node that received the request", says
 * the Dynamo paper (section 5); the machines are `core/quorum`, `core/forwarding` and
 * `core/operations`, and this room carries out their decisions.
 */
import type { Explanation } from "../../schemas/Explanation.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type { Forward, MemberTag, PeerHandlers, PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import { namesOf } from "./RequestObserver.ts"
import * as Errors from "../core/model/StoreError.ts"
import { InFlightRequests } from "../transport/InFlightRequests.ts"
import { Admission } from "./Admission.ts"
import { CatchUpRead } from "./CatchUpRead.ts"
import { ChecksUnderWay } from "./ChecksUnderWay.ts"
import { ClientRead } from "./ClientRead.ts"
import type { ReplicaServer } from "../replica/ReplicaServer.ts"
import type { CoordinatorContext, Gathering, NodeServices } from "./CoordinatorContext.ts"
import * as CoordinatorCounters from "./CoordinatorCounters.ts"
import { DocumentsUnderWay } from "./DocumentsUnderWay.ts"
import { Explain } from "./Explain.ts"
import { readForward } from "./ForwardCodec.ts"
import { type ForwardedOperation, Forwarding } from "./Forwarding.ts"
import { ForwardOrigin } from "./ForwardOrigin.ts"
import { ForwardsSeen } from "./ForwardsSeen.ts"
import { KeptAnswers } from "./KeptAnswers.ts"
import { LateReplyBudget } from "./LateReplyBudget.ts"
import { Listing, validateListing } from "./Listing.ts"
import { OpenRequest } from "./OpenRequest.ts"
import { Operations } from "./Operations.ts"
import { PeerMarks } from "./PeerMarks.ts"
import type { Answer, AnswerAddress, ExplainRequest, ListRequest, Request } from "./Request.ts"
import { isPrimary, standsIn } from "./SloppyTargets.ts"
import { stopping } from "./Unanswered.ts"
import {
  isFault,
  isIdentified,
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
  /** Of all messages but those of replicas, of members and of the comparison of replicas. */
  readonly handlers: Omit<
    PeerHandlers,
    keyof ReplicaServer["handlers"] | "AntiEntropy" | "HandedOff" | "Question" | MemberTag
  > = {
    Stored: (message, from) => this.#hear(from, message),
    NeedsBase: (message, from) => this.#hear(from, message),
    Fetched: (message, from) => this.#hear(from, message),
    FetchedSince: (message, from) => this.#hear(from, message),
    Refused: (message, from) => this.#hear(from, message),
    Forward: (message, from) => this.#takeForward(from, message),
    Forwarded: (message, from) => this.#hear(from, message),
    Listed: (message, from) => this.#hear(from, message),
    Told: (message, from) => this.#hear(from, message),
    Fence: (message, from, reply) => this.#operations.fence(from, message, reply),
    Fenced: (message, from) => this.#hear(from, message),
    // The nodes will agree soon: until its deadline, the request is sent again after its pause.
    OtherRing: () => {}
  }
  readonly context: CoordinatorContext
  readonly #validation: ValidationOptions
  readonly #operations: Operations
  readonly #forwardsSeen: ForwardsSeen
  #draining = false

  constructor(options: CoordinatorOptions) {
    const { validation, ...node } = options
    const { limits, runtime, seal } = node
    // An answer to a former incarnation of this node must not be taken for one to this one.
    const firstNumber = Number.parseInt(runtime.id().slice(-8), 36)
    let sending = 0
    const inFlight = new InFlightRequests<Gathering>({ runtime, limits, firstNumber })
    this.context = {
      ...node,
      admission: new Admission(node),
      counters: CoordinatorCounters.make(),
      inFlight,
      lateReplies: new LateReplyBudget(limits.lateReplyBytesMax),
      checksUnderWay: new ChecksUnderWay(limits),
      answers: new KeptAnswers(limits),
      documentsUnderWay: new DocumentsUnderWay((request) => inFlight.get(request) !== undefined),
      peerMarks: new PeerMarks(),
      nextSending: () => ++sending
    }
    this.#operations = new Operations(this.context, {
      partitionCount: validation.partitionCount,
      carryOut: (write, open) => this.#carryOut(write, open)
    })
    this.#forwardsSeen = new ForwardsSeen(limits)
    this.#validation = { ...validation, ...limits, seal }
  }

  /**
   * Why a message of clients' requests is refused before it is read; undefined where it may be
   * taken. Other nodes' requests are work that was begun: they are never refused so.
   */
  overload(): Errors.Overloaded | undefined {
    const { admission, counters } = this.context
    return this.#draining ? undefined : admission.refusal(counters.open)
  }

  admission(): Admission["stats"] {
    return this.context.admission.stats
  }

  /**
   * Carries out a request, or has it carried out; answers exactly once. Returns how to give it up,
   * which ends a read at once and changes nothing for a write.
   */
  handle(request: Request, address: AnswerAddress<Answer>): (() => void) | void {
    const isAdmitted = request.forwarded || request.isAdmitted === true
    const unavailable = this.#unavailable() ?? (isAdmitted ? undefined : this.overload())
    if (unavailable !== undefined) return this.#refuse(request, address, unavailable)
    const changes = request.action === "write"
    const open = new OpenRequest(this.context, address, { changes, names: namesOf(request) })
    this.#attempt(`a ${request.action}`, open, () => this.#handle(request, open))
    return () => open.giveUp()
  }

  /** An exception costs the one request, whose client is told. */
  #attempt<A extends object>(what: string, open: OpenRequest<A>, task: () => void): void {
    try {
      task()
    } catch (failure) {
      open.fail()
      this.context.failed(failure, `${what} of a client`)
    }
  }

  #handle(request: Request, open: OpenRequest<Answer>): void {
    const validated = request.action === "read"
      ? validateRead(request, this.#validation)
      : validateWrite(request, this.#validation)
    if (isFault(validated)) return open.answer(validated)
    if ("calls" in validated && isIdentified(validated)) {
      open.settleWith((error) => this.#operations.refusal(validated, error))
    }
    if (this.#carriesOut(request, validated)) return this.#begin(validated, open)
    this.#forward(request, validated, open)
  }

  /** Shows the state of a document at every primary; changes nothing. */
  explain(request: ExplainRequest, address: AnswerAddress<Explanation>): (() => void) | void {
    const open = this.#open(address, "explain", request)
    if (open === undefined) return
    this.#attempt("an explanation", open, () => this.#explain(request, open))
    return () => open.giveUp()
  }

  #explain(request: ExplainRequest, open: OpenRequest<Explanation>): void {
    const { bucket, principal, ...body } = request
    const asked: Request = { action: "read", principal, bucket, body, forwarded: false }
    const read = validateRead(asked, this.#validation)
    if (isFault(read)) return open.answer(read)
    const { key } = normalRequest(asked, read).body
    new Explain(this.context, { read, key, open }).start()
  }

  /** Lists a page of a bucket's keys, as far as the members can be reached. */
  list(request: ListRequest, address: AnswerAddress<KeyPage>): (() => void) | void {
    const open = this.#open(address, "list", request)
    if (open === undefined) return
    this.#attempt("a listing", open, () => {
      const listing = validateListing(request, this.#validation)
      if (isFault(listing)) return open.answer(listing)
      new Listing(this.context, listing, open).start()
    })
    return () => open.giveUp()
  }

  /** Takes another node's answer. */
  #hear(from: NodeId, message: PeerMessage): void {
    const { counters, inFlight, runtime } = this.context
    const gathering = inFlight.get(message.request)
    if (gathering?.measures(from) === true) inFlight.answered(message.request)
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
    this.context.inFlight.stopAll()
  }

  underWay(): number {
    return this.context.inFlight.size
  }

  /** Bytes that answered requests hold for slow replicas. */
  lateBytes(): number {
    return this.context.lateReplies.held
  }

  counters(): Readonly<CoordinatorCounters.CoordinatorCounters> & { readonly resends: number } {
    const { counters, inFlight } = this.context
    return { ...counters, resends: inFlight.resends }
  }

  /** Takes a request in, unless the node stops or too many are open: then it is refused. */
  #open<A extends object>(
    address: AnswerAddress<A>,
    operation: string,
    { bucket, trace }: ExplainRequest | ListRequest
  ): OpenRequest<A> | undefined {
    const unavailable = this.#unavailable() ?? this.overload()
    if (unavailable === undefined) {
      const names = { bucket, operation, origin: "client", trace } as const
      return new OpenRequest(this.context, address, { changes: false, names })
    }
    address.deliver(unavailable)
    return undefined
  }

  #unavailable(): Errors.NodeUnavailable | undefined {
    const { counters, limits: { requestsMax }, node } = this.context
    // Answered requests that wait for a slow replica do not count: one such node would stop all.
    const reason = this.#draining
      ? stopping
      : counters.open >= requestsMax
      ? `${requestsMax} requests are under way`
      : undefined
    return reason === undefined ? undefined : new Errors.NodeUnavailable({ node, reason })
  }

  /** Refuses a request for good: a repeat of its message is not carried out either. */
  #refuse(request: Request, address: AnswerAddress<Answer>, error: Errors.StoreError): void {
    const { node, replica } = this.context
    const write = request.action === "read" || request.body.operationId === undefined
      ? error
      : validateWrite(request, this.#validation)
    const settled = !isFault(write) && isIdentified(write)
      ? this.#operations.refusal(write, error)
      : error
    address.deliver(settled, { node, mark: replica.operations.mark() })
  }

  #carriesOut({ forwarded }: Request, validated: ValidatedRead | ValidatedWrite): boolean {
    return isPrimary(this.context, validated) || !forwarded && standsIn(this.context, validated)
  }

  #begin(validated: ValidatedRead | ValidatedWrite, open: OpenRequest<Answer>): void {
    if (!("calls" in validated)) {
      this.context.counters.reads++
      new ClientRead(this.context, validated, open).start()
    } else if (isIdentified(validated)) this.#operations.begin(validated, open)
    else this.#carryOut(validated, open)
  }

  #carryOut(write: ValidatedWrite, open: OpenRequest<Answer>): void {
    const { counters, node, replica } = this.context
    const isKnown = () =>
      isIdentified(write) && replica.trace(write.row, write.id)?._tag === "Applied"
    if (!replica.writable() && !isKnown()) {
      return open.answer(new Errors.NodeUnwritable({ node, reason: "its disk is full or failing" }))
    }
    const begun = new WriteCoordinator(this.context, write, open).start()
    if (begun !== "context-ahead") return void counters.writes++
    const again = (caughtUp: ValidatedWrite) => this.#begin(caughtUp, open)
    new CatchUpRead(this.context, { write, open, again }).start()
  }

  #forward(
    request: Request,
    validated: ValidatedRead | ValidatedWrite,
    open: OpenRequest<Answer>
  ): void {
    const { counters, node, runtime } = this.context
    if (request.forwarded) {
      const reason = "it is no primary of this document; the nodes disagree about the ring"
      return open.answer(new Errors.NodeUnavailable({ node, reason }))
    }
    counters.forwards++
    if (!("calls" in validated)) return this.#sendOn(request, { validated, open })
    if (isIdentified(validated)) {
      return this.#operations.forward(validated, (ended) => {
        const operation = this.#operations.forwarded(validated)
        if (operation !== undefined) {
          return this.#sendOn(request, { validated, open, operation, ended })
        }
        open.answer(this.#operations.staleMark())
        ended()
      })
    }
    // One without a name gets one here, so that it can be sent twice.
    const id = { session: runtime.id(), sequence: 0 }
    const { row } = validated
    const operation = { id, row, tried: [], hasMarks: true, isNoted: false }
    this.#sendOn(request, { validated, open, operation })
  }

  #sendOn(
    request: Request,
    { ended = () => {}, open, operation, validated }: {
      readonly validated: ValidatedRead | ValidatedWrite
      readonly open: OpenRequest<Answer>
      readonly operation?: ForwardedOperation
      readonly ended?: () => void
    }
  ): void {
    const { view } = this.context
    const { primaries } = view.placement(validated.row.partition, validated.bucket.definition.n)
    const sinceHeardMillis = (id: NodeId) => view.liveness.sinceHeardMillis(id)
    const near = primaries.toSorted((a, b) => sinceHeardMillis(a) - sinceHeardMillis(b))
    // A retry follows the first attempt: the node that was asked last may have carried it out.
    const asked = operation?.tried.findLast((target) => primaries.includes(target.node))?.node
    const nodes = asked === undefined ? near : [asked, ...near.filter((id) => id !== asked)]
    const normal = { ...normalRequest(request, validated), trace: open.trace ?? request.trace }
    const carryOut = () =>
      this.#attempt(`a ${request.action}`, open, () => this.#begin(validated, open))
    const sending = { request: normal, validated, operation, nodes, open, ended, carryOut }
    new Forwarding(this.context, sending).start()
  }

  #takeForward(from: NodeId, message: Forward): void {
    const { incarnationOf, runtime, send } = this.context
    const forward = readForward(message.body)
    const sending = forward?.sending ?? -1
    const origin = new ForwardOrigin(send, { from, number: message.request, sending })
    if (forward === undefined) {
      const expected = "a request"
      return origin.deliver(new Errors.InvalidRequest({ setting: "request", value: "", expected }))
    }
    const { request } = forward
    // A request of version 1 names no sending.
    const isNew = request.action === "read" || sending < 0
      || this.#forwardsSeen.isNew(`${from} ${incarnationOf(from)}`, sending)
    if (isNew) return void this.handle(request, origin)
    runtime.mark("coordinator: a repeated message is passed over")
  }
}
