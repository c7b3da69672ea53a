/**
 * Carries one write across the nodes that hold its document: applies it to the own replica, sends
 * the result to the others, and answers the client as soon as the decision says so.
 *
 * The own replica comes first because it makes the dot; from there on every replica is alike, and
 * sending again is harmless, because each store is a join.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { Document } from "../core/crdt/Document.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as Targets from "../core/quorum/Targets.ts"
import * as WriteDecision from "../core/quorum/WriteDecision.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { answerOf, primaries, targetsOf } from "./CoordinatorContext.ts"
import type { LateReplyBudget } from "./LateReplyBudget.ts"
import { lateMillis, type Waiting } from "../transport/InFlightRequests.ts"
import type { ValidatedWrite } from "./ValidatedRequest.ts"
import type { Respond } from "./Request.ts"

export interface WriteOptions {
  readonly parts: CoordinatorContext
  readonly plan: ValidatedWrite
  readonly number: number
  readonly late: LateReplyBudget
  readonly respond: Respond
  /** Called once, when nothing more is expected. */
  readonly finished: () => void
}

/** Whether the write is under way, or why it could not begin. */
export type Begun = "begun" | "context-ahead" | "refused"

export class WriteCoordinator implements Waiting {
  deadline: number
  readonly #options: WriteOptions
  #decision: WriteDecision.WriteDecision
  #document: Document | undefined
  #bytes: Uint8Array = new Uint8Array(0)
  /** Bytes that it may hold for silent replicas, now that it is answered. */
  #lateBytes = 0
  #finished = false

  constructor(options: WriteOptions) {
    const { parts, plan } = options
    this.#options = options
    this.deadline = parts.runtime.elapsed() + plan.timeoutMillis
    this.#decision = WriteDecision.make(plan.needs, targetsOf(primaries(parts, plan)))
  }

  /**
   * Applies the operations here and sends the result. `context-ahead` changes nothing: the client
   * has seen more than this replica, which must catch up and begin again.
   */
  start(): Begun {
    const { parts, plan, respond } = this.#options
    if (this.#decision.outcome._tag === "Fail") {
      this.#tell(this.#decision.outcome)
      return "refused"
    }
    const own = Targets.indexOf(this.#decision.nodes, parts.node)
    const updated = parts.replica.update(
      {
        key: plan.row,
        calls: plan.calls,
        seen: plan.seen,
        stampSeen: Math.max(plan.seen?.stamp ?? 0, plan.after.stamp),
        id: plan.id
      },
      (failure) =>
        this.#step(
          failure === undefined
            ? { _tag: "Acknowledged", index: own, durable: true }
            : { _tag: "Refused", index: own, reason: `${failure.kind}: ${failure.detail}` }
        )
    )
    switch (updated._tag) {
      case "ContextAhead":
        return "context-ahead"
      case "InvalidArguments": {
        const bucket = plan.bucket.definition.name
        const { path, problem } = updated
        respond(new Errors.InvalidValue({ bucket, path, problem }))
        return "refused"
      }
      case "Unwritten": {
        const { detail, kind } = updated.failure
        respond(new Errors.NodeUnwritable({ node: parts.node, reason: `${kind}: ${detail}` }))
        return "refused"
      }
      case "Updated":
        this.#document = updated.document
        this.#bytes = updated.encoded.bytes
        this.resend()
        // From memory counts at once where the bucket does not wait for disks.
        if (plan.bucket.definition.durability === "buffered") {
          this.#step({ _tag: "Acknowledged", index: own, durable: false })
        }
        return "begun"
    }
  }

  resend(): void {
    const { number, parts, plan } = this.#options
    const name = {
      bucket: plan.bucket.definition.name,
      fingerprint: plan.bucket.fingerprint,
      key: plan.key
    }
    for (const node of WriteDecision.awaited(this.#decision)) {
      if (node === parts.node) continue
      parts.send(node, {
        _tag: "Store",
        request: number,
        ...name,
        sync: plan.sync,
        document: this.#bytes
      })
    }
  }

  expire(): void {
    this.#step({ _tag: "Deadline" })
  }

  /** Takes another node's answer. */
  hear(from: NodeId, message: PeerMessage): void {
    const index = Targets.indexOf(this.#decision.nodes, from)
    if (message._tag === "Stored") {
      this.#step({ _tag: "Acknowledged", index, durable: message.durable })
    } else if (message._tag === "Refused") {
      this.#step({ _tag: "Refused", index, reason: message.reason })
    }
  }

  #step(event: WriteDecision.WriteEvent): void {
    const before = this.#decision.outcome
    this.#decision = WriteDecision.step(this.#decision, event)
    const { outcome } = this.#decision
    if (before._tag === "Wait" && outcome._tag !== "Wait") {
      this.deadline = Math.min(this.deadline, this.#options.parts.runtime.elapsed() + lateMillis)
      this.#tell(outcome)
      this.#waitOn()
    }
    if (WriteDecision.isSettled(this.#decision)) this.#finish()
  }

  /** Answered, it goes on sending to the silent, if there is room; else reads will repair them. */
  #waitOn(): void {
    const { late, parts } = this.#options
    const { length } = this.#bytes
    if (WriteDecision.isSettled(this.#decision)) return
    if (late.take(length)) {
      this.#lateBytes = length
      return
    }
    parts.runtime.mark("write: there is no room to wait for the silent")
    this.#finish()
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#options.late.giveBack(this.#lateBytes)
    this.#options.finished()
  }

  #tell(outcome: Exclude<WriteDecision.WriteDecision["outcome"], { readonly _tag: "Wait" }>): void {
    const { parts, plan, respond } = this.#options
    const { runtime } = parts
    if (outcome._tag === "Answer" && this.#document !== undefined) {
      if (this.#isRefusedHere()) runtime.mark("write: done, though the own disk failed")
      const answered = { document: this.#document, replied: WriteDecision.had(this.#decision).w }
      const answer = answerOf(parts, plan, answered)
      // The write is done; that its siblings cannot be merged is for the next read to say.
      const isAnswer = answer._tag === "Answer"
      return respond(isAnswer ? answer : answerOf(parts, { ...plan, merge: false }, answered))
    }
    if (outcome._tag !== "Fail") return
    if (outcome.mayHaveApplied) runtime.mark("write: failed, and may have applied")
    else runtime.mark("write: every replica refused it")
    const { had, refused, unreachable } = outcome
    // What was applied here was read and sent, and a commit that failed may be found after a crash.
    const mayHaveApplied = outcome.mayHaveApplied || this.#document !== undefined
    const { dw, pw, w } = outcome.needed
    respond(
      new Errors.QuorumNotMet({
        action: "write",
        needed: { w, pw, dw },
        had,
        unreachable,
        refused,
        mayHaveApplied
      })
    )
  }

  #isRefusedHere(): boolean {
    const { answers, nodes } = this.#decision
    return Targets.has(answers.refused, Targets.indexOf(nodes, this.#options.parts.node))
  }
}
