/**
 * Carries one write across the replicas of its document: applies it to the own replica, sends the
 * result to the others, and answers the client as soon as the decision says so.
 *
 * The own replica comes first because it makes the dot; from there on every replica is alike, and
 * sending again is harmless, because each store is a join.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { Document } from "../core/crdt/Document.ts"
import { sizeOf } from "../core/crdt/DocumentSize.ts"
import { invariant } from "../core/Invariant.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as Targets from "../core/quorum/Targets.ts"
import * as WriteDecision from "../core/quorum/WriteDecision.ts"
import type { StorageFailure } from "../replica/Replica.ts"
import { answerOf, unshownOf } from "./Answer.ts"
import { checkDeferrals } from "./CheckDeferrals.ts"
import type { CoordinatorContext, HeldDocument } from "./CoordinatorContext.ts"
import { Gather } from "./Gather.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import type { Answer } from "./Request.ts"
import { SentChange } from "./SentChange.ts"
import { owedHere, sloppyField, sloppyTargets } from "./SloppyTargets.ts"
import { ownWithReason } from "./Unanswered.ts"
import type { ValidatedWrite } from "./ValidatedRequest.ts"

export class WriteCoordinator
  extends Gather<WriteDecision.WriteDecision, WriteDecision.WriteEvent>
{
  readonly #write: ValidatedWrite
  readonly #open: OpenRequest<Answer>
  /** The document after the operations, once they are applied here. */
  #document: Document | undefined
  #sent: SentChange | undefined

  constructor(context: CoordinatorContext, write: ValidatedWrite, open: OpenRequest<Answer>) {
    const { needs, timeoutMillis } = write
    const { nodes, suspects } = sloppyTargets(context, write)
    super(context, {
      rules: WriteDecision,
      decision: WriteDecision.make(needs, nodes, suspects),
      deadline: open.deadline(timeoutMillis),
      serves: open
    })
    this.#write = write
    this.#open = open
  }

  /**
   * Applies the operations here and sends the result. `context-ahead`: nothing was done, since the
   * client has seen more than this replica, which must catch up before the write begins again.
   */
  start(): "answered" | "begun" | "context-ahead" {
    const { node, replica } = this.context
    if (this.decision.outcome._tag !== "Wait") {
      this.tell()
      return "answered"
    }
    const { after, bucket, calls, id, row: key, seen } = this.#write
    const stampSeen = Math.max(seen?.stamp ?? 0, after.stamp)
    // From memory counts at once where the bucket does not wait for disks.
    const fromMemory = bucket.definition.durability === "buffered"
    const owed = owedHere(this.context, this.#write)
    const update = { key, calls, seen, stampSeen, id, fromMemory, owed }
    if (owed !== undefined) this.context.runtime.mark("hint: a node outside the list takes a write")
    const updated = replica.update(update, (failure) => this.#committed(failure))
    switch (updated._tag) {
      case "ContextAhead":
        return "context-ahead"
      case "ContextTooOld":
        this.context.runtime.mark("coordinator: a removal has seen a counter too long ago")
        this.#open.answer(new Errors.ContextTooOld({ bucket: bucket.definition.name }))
        return "answered"
      case "InvalidArguments": {
        const { path, problem } = updated
        this.#open.answer(
          new Errors.InvalidValue({ bucket: bucket.definition.name, path, problem })
        )
        return "answered"
      }
      case "TooLarge":
        this.#open.answer(
          new Errors.DocumentTooLarge({ bucket: bucket.definition.name, ...updated.excess })
        )
        return "answered"
      case "Unwritten": {
        this.#open.answer(new Errors.NodeUnwritable({ node, reason: reasonOf(updated.failure) }))
        return "answered"
      }
      case "Updated":
        this.#document = updated.document
        this.#sent = new SentChange(this.context, this.#write, {
          change: updated,
          request: this.number
        })
        this.ask()
        if (fromMemory) {
          this.#acknowledged(false)
        }
        return "begun"
    }
  }

  /** The own replica's commit has ended. */
  #committed(failure: StorageFailure | undefined): void {
    const { node, tellPosition } = this.context
    if (failure !== undefined) {
      return this.step({ _tag: "Refused", index: this.#indexOf(node), reason: reasonOf(failure) })
    }
    // A replica's acknowledgement says how many of its changes are durable; this one says it here.
    if (this.#write.needs.pw > 0) tellPosition()
    this.#acknowledged(true)
  }

  #acknowledged(durable: boolean): void {
    const { completenessOf, node } = this.context
    const complete = completenessOf(this.#write.row) === "complete"
    this.step({ _tag: "Acknowledged", index: this.#indexOf(node), durable, complete })
  }

  message(node: NodeId): PeerMessage {
    invariant(this.#sent !== undefined, "a write is sent after it was applied here")
    const message = this.#sent.to(node)
    const hintFor = Targets.standsFor(this.decision, node)
    return hintFor === undefined ? message : { ...message, hintFor }
  }

  /** A fallback stands in for one that is believed down, or that the client waits for. */
  override overdue(node: NodeId): void {
    const isWaiting = this.decision.outcome._tag === "Wait"
    if (!isWaiting && this.context.view.liveness.isUp(node)) return
    this.step({ _tag: "Suspect", index: this.#indexOf(node) })
  }

  hear(from: NodeId, message: PeerMessage): void {
    const index = this.#indexOf(from)
    if (message._tag !== "NeedsBase") this.#sent?.answered(from)
    if (message._tag === "Stored") {
      const { completeness, durable } = message
      const complete = completeness === "complete"
      this.step({ _tag: "Acknowledged", index, durable, complete })
    } else if (message._tag === "Refused") {
      this.step({ _tag: "Refused", index, reason: message.reason })
    } else if (message._tag === "NeedsBase" && index >= 0) {
      if (this.#sent?.lacksBase(from, message.context) === true) this.send(from)
    }
  }

  #indexOf(node: NodeId): number {
    return Targets.indexOf(this.decision.nodes, node)
  }

  /** A removal by a context that is ahead of this replica may wait for dots that are lost. */
  override finish(): void {
    this.#sent?.end()
    if (this.#document !== undefined) checkDeferrals(this.context, this.#write, this.#document)
  }

  /** It may be shown once the own replica has it; replicas that lack its base get the document. */
  held(): HeldDocument | undefined {
    const { answers: { acknowledged } } = this.decision
    const isShown = Targets.has(acknowledged, this.#indexOf(this.context.node))
    if (this.#document === undefined || !isShown) return undefined
    return { row: this.#write.row, document: this.#document }
  }

  override bytesHeld(): number {
    return this.#sent?.bytes ?? 0
  }

  tell(): void {
    const { outcome } = this.decision
    if (outcome._tag === "Answer") this.#open.answer(this.#answer())
    else if (outcome._tag === "Fail") this.#open.answer(this.#failure(outcome))
  }

  #answer(): Answer {
    const document = this.#document
    invariant(document !== undefined, "a write is acknowledged after it was applied here")
    const { limits: { shownBytesMax }, node, runtime, seal, view } = this.context
    const { answers, nodes } = this.decision
    if (Targets.has(answers.refused, Targets.indexOf(nodes, node))) {
      runtime.mark("write: done, though the own disk failed")
    }
    const { merge, showsAlways } = this.#write
    const replied = WriteDecision.had(this.decision).w
    const shown = { seal, document, replied, nowMillis: view.agreedNow(), merge }
    // Of siblings a context may only tell what its client was shown, or a put removes the rest.
    const isLarge = document.store?.kind === "tree" && sizeOf(document).content > shownBytesMax
    if (isLarge && !showsAlways) {
      runtime.mark("write: a large document is not shown")
      return unshownOf(this.#write, shown)
    }
    const answer = answerOf(this.#write, shown)
    // The write is done; that its siblings cannot be merged is for the next read to say.
    const unmerged = answer._tag === "Answer"
      ? answer
      : answerOf(this.#write, { ...shown, merge: false })
    return unmerged._tag === "Answer" ? unmerged : unshownOf(this.#write, shown)
  }

  #failure(outcome: WriteDecision.WriteFailed): Errors.QuorumNotMet {
    const { node, runtime } = this.context
    if (outcome.mayHaveApplied) runtime.mark("write: failed, and may have applied")
    else runtime.mark("write: every replica refused it")
    const { had, incomplete } = outcome
    const { dw, pw, w } = outcome.needed
    return new Errors.QuorumNotMet({
      action: "write",
      needed: { w, pw, dw },
      had,
      ...ownWithReason(outcome, node),
      ...incomplete.length === 0 ? {} : { incomplete },
      ...sloppyField(this.#write),
      // A write that was applied here was read and sent, and a crash may bring a failed commit
      // back.
      mayHaveApplied: outcome.mayHaveApplied || this.#document !== undefined
    })
  }
}

const reasonOf = ({ detail, kind }: StorageFailure): string => `${kind}: ${detail}`
