/**
 * Sends one question to several nodes and gathers their answers: carries out a decision of `core`,
 * which says which nodes are asked, how an answer changes it, and when the client is told.
 *
 * Reads, writes, forwarded requests, inquiries, explanations and listings differ in their decision,
 * in the message that they send, and in the event of an answer; they share all the rest: the
 * deadline, sending again, waiting on for slow replicas, and the end.
 *
 * @see basho/riak_kv:src/riak_kv_get_fsm.erl, which carries out riak_kv_get_core in the same way
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { CoordinatorContext, Gathering } from "./CoordinatorContext.ts"

/** The state of a request: a value of `core`. */
export interface Decision {
  /** `Wait` until the client can be told; then it changes no more. */
  readonly outcome: { readonly _tag: string }
  /** The fallbacks to ask after a step. */
  readonly substitutes?: ReadonlyArray<{ readonly node: NodeId }>
}

type Deadline = { readonly _tag: "Deadline" }

/** The request that a gather serves: it is told when an exception ends the gather. */
export interface Served {
  readonly fail: () => void
  /** Told of the gather that carries it out from now on, for the request to end it. */
  readonly carriedOutBy?: (gather: { readonly abandon: () => void }) => void
}

/** A module of `core` that decides. */
export interface Rules<D extends Decision, E> {
  readonly step: (decision: D, event: E | Deadline) => D
  /** The nodes that owe an answer. */
  readonly awaited: (decision: D) => ReadonlyArray<NodeId>
  /** Whether the client is told and nothing more is expected. */
  readonly isFinished: (decision: D) => boolean
  /** The nodes to ask after a step that were not asked before; none where a module has no such. */
  readonly added?: (before: D, after: D) => ReadonlyArray<NodeId>
}

const deadline: Deadline = { _tag: "Deadline" }

export abstract class Gather<D extends Decision, E> implements Gathering {
  readonly context: CoordinatorContext
  readonly number: number
  /** On the monotonic clock; comes nearer once the client is told. */
  deadline: number
  decision: D
  readonly #rules: Rules<D, E>
  readonly serves: Served | undefined
  /** Bytes of the late-reply budget that this request holds. */
  #lateBytes = 0
  #isFinished = false
  #hasExpired = false
  /** Whether what still comes, such as the own replica's answer, is passed over. */
  #isAbandoned = false

  constructor(
    context: CoordinatorContext,
    options: {
      readonly rules: Rules<D, E>
      readonly decision: D
      readonly deadline: number
      readonly serves: Served | undefined
    }
  ) {
    this.context = context
    this.#rules = options.rules
    this.serves = options.serves
    this.decision = options.decision
    this.deadline = options.deadline
    this.number = context.inFlight.nextNumber()
  }

  /** The message that asks a node. */
  abstract message(node: NodeId): PeerMessage

  /** Takes a node's answer: makes an event of it and calls `step`. */
  abstract hear(from: NodeId, message: PeerMessage): void

  /** Tells the client the outcome; called once. */
  abstract tell(): void

  /** Does the rest when nothing more is expected, such as repairs; called once. */
  finish(): void {}

  /** Bytes that waiting for slow replicas keeps in memory. */
  bytesHeld(): number {
    return 0
  }

  /**
   * Asks all other nodes that owe an answer; from now on answers find this request by its number.
   */
  ask(): void {
    const { inFlight, node: self } = this.context
    inFlight.add(this.number, this, this.lateMillis())
    this.serves?.carriedOutBy?.(this)
    for (const node of this.#rules.awaited(this.decision)) if (node !== self) this.send(node)
  }

  /** After how long, at least, it is told that it is `late`; Infinity where it need not be. */
  lateMillis(): number {
    return Infinity
  }

  /** Whether the time until this node's answer says how long answers take. */
  measures(_node: NodeId): boolean {
    return true
  }

  /** Asks again where that may help: a node that is believed down was asked once. */
  resend(): void {
    const { node: self, runtime, view: { liveness } } = this.context
    for (const node of this.#rules.awaited(this.decision)) {
      if (node === self) continue
      if (liveness.isUp(node)) this.send(node)
      else runtime.mark("gather: a node believed down is not asked again")
      this.overdue(node)
    }
  }

  /** A node has not answered before it was asked again: others may stand in for it. */
  overdue(_node: NodeId): void {}

  send(node: NodeId): void {
    const { send, view: { liveness } } = this.context
    liveness.expects(node)
    send(node, this.message(node))
  }

  /** The time is up; fallbacks that are asked only now have some more. */
  expire(): void {
    this.step(deadline)
    if (this.#isFinished || this.#isAbandoned) return
    if (this.#hasExpired) return this.#end()
    this.#hasExpired = true
    const { inFlight, limits: { lateReplyMillis }, runtime } = this.context
    this.deadline = runtime.elapsed() + lateReplyMillis
    inFlight.add(this.number, this)
  }

  /** Ends before anybody is told: nobody waits for the outcome. Nothing where it is decided. */
  abandon(): void {
    if (this.#isFinished || this.decision.outcome._tag !== "Wait") return
    this.#isFinished = true
    this.#isAbandoned = true
    this.#release()
  }

  /**
   * Takes the decision one event further, and carries out the new decision. An exception ends the
   * request: its client is told, and nothing of it stays.
   */
  step(event: E | Deadline): void {
    if (this.#isAbandoned) return
    try {
      this.#carryOut(event)
    } catch (failure) {
      this.#isFinished = true
      this.#release()
      this.serves?.fail()
      throw failure
    }
  }

  #carryOut(event: E | Deadline): void {
    const before = this.decision
    const wasWaiting = before.outcome._tag === "Wait"
    this.decision = this.#rules.step(before, event)
    const added = this.#rules.added?.(before, this.decision)
    if (added !== undefined) { for (const node of added) this.send(node) }
    const { substitutes } = this.decision
    if (substitutes !== undefined) { for (const { node } of substitutes) this.send(node) }
    if (wasWaiting && this.decision.outcome._tag !== "Wait") {
      this.tell()
      this.#waitOn()
    }
    if (this.#rules.isFinished(this.decision)) this.#end()
  }

  /** After answering the client, it waits for slow replicas while the memory budget allows. */
  #waitOn(): void {
    if (this.#rules.isFinished(this.decision)) return
    const { lateReplies, limits: { lateReplyMillis }, runtime } = this.context
    this.deadline = Math.min(this.deadline, runtime.elapsed() + lateReplyMillis)
    const bytes = this.bytesHeld()
    if (lateReplies.take(bytes)) {
      this.#lateBytes = bytes
      return
    }
    runtime.mark("gather: there is no room to wait for slow replicas")
    this.#end()
  }

  /** No more answers are processed. */
  #end(): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#release()
    this.finish()
  }

  #release(): void {
    this.context.lateReplies.giveBack(this.#lateBytes)
    this.#lateBytes = 0
    this.context.inFlight.remove(this.number)
  }
}
