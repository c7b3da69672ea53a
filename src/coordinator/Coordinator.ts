/**
 * Takes clients' requests: checks them, carries out those whose documents this node holds, hands
 * the others to a node that does. "A state machine on the node that received the request", says
 * the Dynamo paper (section 5); the machine is `core/quorum`, this room carries out what it says.
 */
import type { Explanation } from "../../schemas/Explanation.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import * as CausalContext from "../core/clock/CausalContext.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import { Explain } from "./Explain.ts"
import { Forwarding, readForward, unsendable, writeForwarded } from "./Forwarding.ts"
import { ForwardedWrites } from "./ForwardedWrites.ts"
import { lateBytesMax, LateReplyBudget } from "./LateReplyBudget.ts"
import { Listing, validateListing } from "./Listing.ts"
import { answerOf, type CoordinatorContext, type Counts, primaries } from "./CoordinatorContext.ts"
import { Pending, type Waiting } from "../transport/InFlightRequests.ts"
import {
  isFault,
  type ValidatedRead,
  type ValidatedRequest,
  type ValidatedWrite,
  validateRead,
  validateWrite,
  type ValidationOptions
} from "./ValidatedRequest.ts"
import { type Found, ReadCoordinator } from "./ReadCoordinator.ts"
import { ForwardDeduplication } from "./ForwardDeduplication.ts"
import type { ExplainRequest, ListRequest, Request, Respond } from "./Request.ts"
import { WriteCoordinator } from "./WriteCoordinator.ts"

export interface CoordinatorOptions extends CoordinatorContext {
  readonly plan: Omit<ValidationOptions, "nowMillis" | "secret">
  /** Requests without an answer; beyond it they are refused, which clients may retry elsewhere. */
  readonly requestsMax: number
  /** Bytes that answered requests hold for silent replicas; 64 MiB unless said otherwise. */
  readonly lateBytesMax?: number | undefined
}

/** Longer than a replica needs under load, so that what was sent again was mostly lost. */
const firstPauseMillis = 500

interface Hearing extends Waiting {
  readonly hear: (from: NodeId, message: PeerMessage) => void
}

export class Coordinator {
  readonly #options: CoordinatorOptions
  readonly #planOptions: ValidationOptions
  readonly #pending: Pending<Hearing>
  readonly #forwardedWrites = new ForwardedWrites()
  readonly #deduplication = new ForwardDeduplication()
  readonly #late: LateReplyBudget
  /** Requests that have no answer yet. */
  #open = 0
  #draining = false
  readonly #counts: Counts = {
    reads: 0,
    writes: 0,
    forwards: 0,
    failures: 0,
    catchUps: 0,
    readRepairs: 0,
    discards: 0,
    siblingsSeen: 0,
    strayAnswers: 0
  }

  constructor(options: CoordinatorOptions) {
    this.#options = options
    const { runtime } = options
    this.#late = new LateReplyBudget(options.lateBytesMax ?? lateBytesMax)
    // An answer to a former incarnation of this node must not be taken for one to this incarnation.
    const firstNumber = Number.parseInt(runtime.id().slice(-8), 36)
    this.#pending = new Pending({ runtime, firstPauseMillis, firstNumber })
    this.#planOptions = {
      ...options.plan,
      secret: options.secret,
      nowMillis: () => options.view.agreedNow()
    }
  }

  /** Carries out a request, or has it carried out; answers exactly once. */
  handle(request: Request, respond: Respond): void {
    const busy = this.#refusal()
    if (busy !== undefined) return respond(busy)
    const counted: Respond = this.#opened((outcome) => {
      if (outcome._tag !== "Answer") this.#counts.failures++
      else if (outcome.siblings > 1) this.#counts.siblingsSeen++
      this.#markOutcome(outcome)
      respond(outcome)
    })
    if (request.action === "read") {
      const plan = validateRead(request, this.#planOptions)
      if (isFault(plan)) return counted(plan)
      if (!this.#isPrimary(plan)) return this.#forward(request, plan, counted)
      this.#counts.reads++
      return this.#read(
        plan,
        (outcome) => counted("_tag" in outcome ? outcome : answerOf(this.#options, plan, outcome))
      )
    }
    const plan = validateWrite(request, this.#planOptions)
    if (isFault(plan)) return counted(plan)
    if (!this.#isPrimary(plan)) return this.#forward(request, plan, counted)
    this.#counts.writes++
    this.#write(plan, counted)
  }

  /** Shows what every primary has of a document; changes nothing. */
  explain(
    request: ExplainRequest,
    respond: (outcome: Explanation | Errors.StoreError) => void
  ): void {
    const busy = this.#refusal()
    if (busy !== undefined) return respond(busy)
    const { bucket, ...body } = request
    const plan = validateRead({ action: "read", bucket, body, forwarded: false }, this.#planOptions)
    if (isFault(plan)) return respond(plan)
    const told = this.#opened(respond)
    const number = this.#pending.nextNumber()
    const finished = () => this.#pending.remove(number)
    const { key } = request
    const explain = new Explain({
      parts: this.#options,
      plan,
      key,
      number,
      respond: told,
      finished
    })
    this.#pending.add(number, explain)
    explain.start()
  }

  /** Lists a page of a bucket's keys, as far as the members can be reached. */
  list(request: ListRequest, respond: (outcome: KeyPage | Errors.StoreError) => void): void {
    const busy = this.#refusal()
    if (busy !== undefined) return respond(busy)
    const plan = validateListing(request, this.#planOptions)
    if (isFault(plan)) return respond(plan)
    const { partitionCount } = this.#planOptions
    const number = this.#pending.nextNumber()
    const finished = () => this.#pending.remove(number)
    const parts = this.#options
    const told = this.#opened(respond)
    const listing = new Listing({ parts, plan, partitionCount, number, respond: told, finished })
    this.#pending.add(number, listing)
    listing.start()
  }

  /** Takes another node's answer, or a request that it forwards. */
  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag === "Forward") return this.#takeForward(from, message)
    const waiting = this.#pending.get(message.request)
    if (waiting !== undefined) return waiting.hear(from, message)
    this.#counts.strayAnswers++
    this.#options.runtime.mark("coordinator: an answer comes too late")
  }

  /** Takes no more requests; those under way go on to their end. */
  drain(): void {
    this.#draining = true
  }

  /** Ends everything under way. */
  close(): void {
    this.#draining = true
    this.#pending.expireAll()
  }

  underWay(): number {
    return this.#pending.size
  }

  /** Bytes that answered requests hold for silent replicas. */
  lateBytes(): number {
    return this.#late.held
  }

  counts(): Readonly<Counts> & { readonly resends: number } {
    return { ...this.#counts, resends: this.#pending.resends }
  }

  #refusal(): Errors.NodeUnavailable | undefined {
    const { node, requestsMax } = this.#options
    if (this.#draining) return new Errors.NodeUnavailable({ node, reason: "it is stopping" })
    // Answered ones that wait for a silent replica do not count: one such node would stop all.
    if (this.#open < requestsMax) return undefined
    return new Errors.NodeUnavailable({ node, reason: `${requestsMax} requests are under way` })
  }

  /** Counts a request as open until it is answered. */
  #opened<A>(respond: (outcome: A) => void): (outcome: A) => void {
    this.#open++
    return (outcome) => {
      this.#open--
      respond(outcome)
    }
  }

  #markOutcome(outcome: Parameters<Respond>[0]): void {
    const { runtime } = this.#options
    if (outcome._tag === "Answer" && outcome.siblings > 2) {
      runtime.mark("coordinator: three siblings are answered")
    }
    if (outcome._tag === "RequestTooOld") runtime.mark("coordinator: a request is too old")
    if (outcome._tag === "NodeUnwritable") {
      runtime.mark("coordinator: a failing disk refuses a write")
    }
  }

  #isPrimary(place: ValidatedRequest): boolean {
    return primaries(this.#options, place).includes(this.#options.node)
  }

  #read(plan: ValidatedRead, found: Found): void {
    const number = this.#pending.nextNumber()
    const finished = () => this.#pending.remove(number)
    const parts = this.#options
    const read = new ReadCoordinator({
      parts,
      plan,
      number,
      late: this.#late,
      found,
      finished,
      counts: this.#counts
    })
    this.#pending.add(number, read)
    read.start()
  }

  #write(plan: ValidatedWrite, respond: Respond): void {
    const { node, replica } = this.#options
    if (!replica.writable()) {
      return respond(new Errors.NodeUnwritable({ node, reason: "its disk is full or failing" }))
    }
    const number = this.#pending.nextNumber()
    const finished = () => this.#pending.remove(number)
    const [late, parts] = [this.#late, this.#options]
    const write = new WriteCoordinator({ parts, plan, number, late, respond, finished })
    this.#pending.add(number, write)
    const begun = write.start()
    if (begun === "begun") return
    this.#pending.remove(number)
    if (begun === "context-ahead") this.#catchUp(plan, respond)
  }

  /** Reads what the client has seen from the others, joins it here, and begins the write again. */
  #catchUp(plan: ValidatedWrite, respond: Respond): void {
    const { node, replica, runtime } = this.#options
    const begun = runtime.elapsed()
    this.#counts.catchUps++
    runtime.mark("coordinator: a write catches up with its context")
    const readPlan: ValidatedRead = {
      ...plan,
      needs: { _tag: "ReadNeeds", r: 1, pr: 0 },
      after: CausalContext.join(plan.after, plan.seen ?? CausalContext.nothing)
    }
    this.#read(readPlan, (outcome) => {
      if ("_tag" in outcome) {
        runtime.mark("coordinator: a write cannot catch up")
        return respond(outcome)
      }
      const arrival = { key: plan.row, document: outcome.document }
      const joined = replica.join(arrival, () => {})
      if (joined._tag === "Refused") {
        return respond(new Errors.NodeUnwritable({ node, reason: joined.reason }))
      }
      const timeoutMillis = Math.max(plan.timeoutMillis - (runtime.elapsed() - begun), 1)
      this.#write({ ...plan, timeoutMillis }, respond)
    })
  }

  #forward(request: Request, plan: ValidatedRead | ValidatedWrite, respond: Respond): void {
    const { node, view } = this.#options
    if (request.forwarded) {
      const reason = "it does not hold this document; the nodes disagree about the ring"
      return respond(new Errors.NodeUnavailable({ node, reason }))
    }
    const fault = unsendable(request)
    if (fault !== undefined) return respond(fault)
    this.#counts.forwards++
    const named = this.#named(request)
    const number = this.#pending.nextNumber()
    const nodes = [...primaries(this.#options, plan)].sort((a, b) =>
      view.silenceMillis(a) - view.silenceMillis(b)
    )
    const forwarding = new Forwarding({
      parts: this.#options,
      request: named,
      plan,
      nodes: this.#forwardedWrites.route(named, nodes),
      number,
      forwardedWrites: this.#forwardedWrites,
      respond,
      finished: () => this.#pending.remove(number)
    })
    this.#pending.add(number, forwarding)
    forwarding.start()
  }

  /** The request as it can be sent twice: a write that names no operation gets a name here. */
  #named(request: Request): Request {
    const { view, runtime } = this.#options
    if (request.action === "read" || request.body.operationId !== undefined) return request
    const operationId = { session: runtime.id(), sequence: 0, at: Math.floor(view.agreedNow()) }
    return { ...request, body: { ...request.body, operationId } }
  }

  #takeForward(from: NodeId, message: Extract<PeerMessage, { readonly _tag: "Forward" }>): void {
    const read = readForward(message.body)
    const answer = (outcome: Parameters<typeof writeForwarded>[0]) =>
      this.#options.send(from, {
        _tag: "Forwarded",
        request: message.request,
        body: writeForwarded(outcome)
      })
    if (read?.request.action === "read") return this.handle(read.request, answer)
    if (read !== undefined) {
      const { request, to } = read
      // Of what an earlier incarnation refused, this one knows nothing: it was told then that it
      // failed.
      const isMeant = to === this.#options.replica.incarnation()
      if (!isMeant) return answer({ _tag: "OtherIncarnation", asked: to })
      const name = `${from} ${message.request}`
      return this.#deduplication.run(name, answer, (respond) => this.handle(request, respond))
    }
    answer(new Errors.InvalidRequest({ setting: "request", value: "", expected: "a request" }))
  }
}
