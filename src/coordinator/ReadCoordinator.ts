/**
 * Carries one read across the replicas of its document: asks all, is answered as soon as the
 * decision says so, and repairs every stale replica in the end.
 *
 * Other replicas say only that they hold the same where their digest matches this node's, so a
 * read of a converged document moves a few bytes.
 */
import type { Fetch, Fetched, PeerMessage } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as ReadDecision from "../core/quorum/ReadDecision.ts"
import * as Targets from "../core/quorum/Targets.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { Gather } from "./Gather.ts"
import { readRepair } from "./ReadRepair.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

/** The document that a read found, perhaps empty, or why there is none. */
export type ReadOutcome =
  | { readonly document: Document.Document; readonly replied: number }
  | Errors.StoreError

export abstract class ReadCoordinator
  extends Gather<ReadDecision.ReadDecision, ReadDecision.ReadEvent>
{
  readonly read: ValidatedRead
  /** Everything found so far, joined. */
  joined: Document.Document = Document.empty
  /** The digest of the own document, which peers compare with; empty where there is none. */
  #ownDigest = ""
  #fetch: Fetch | undefined
  /** Why nodes would not answer; to the decision they are as good as unreachable. */
  #refusals: ReadonlyArray<{ readonly node: NodeId; readonly reason: string }> = Targets.none
  /** Of documents that were fetched. */
  #bytes = 0

  constructor(context: CoordinatorContext, read: ValidatedRead, deadline: number) {
    const { bucket, needs, row } = read
    const nodes = context.view.placement(row.partition, bucket.definition.n)
    const covered = VersionVector.covers(VersionVector.empty, read.after.vector)
    super(context, {
      rules: ReadDecision,
      decision: ReadDecision.make(needs, nodes, { covered }),
      deadline
    })
    this.read = read
  }

  /** Takes the result of the read; called once. */
  abstract found(outcome: ReadOutcome): void

  /** Reads the own replica and asks the others. */
  start(): void {
    const { node, replica } = this.context
    if (this.decision.outcome._tag !== "Wait") return this.tell()
    const local = replica.read(this.read.row)
    if (local._tag === "Found") {
      this.joined = local.document
      this.#ownDigest = local.digest
    }
    // The others are asked before the own answer counts, which may finish the read.
    this.ask()
    const completeness = this.context.completenessOf(this.read.row)
    switch (local._tag) {
      case "Found":
        return this.#foundAt(node, local.digest, completeness)
      case "Absent":
        return this.step({ _tag: "Absent", index: this.#indexOf(node), completeness })
      case "Damaged":
        return this.step({ _tag: "Damaged", index: this.#indexOf(node) })
    }
  }

  message(): PeerMessage {
    const { bucket, key } = this.read
    return this.#fetch ??= {
      _tag: "Fetch",
      request: this.number,
      bucket: bucket.definition.name,
      fingerprint: bucket.fingerprint,
      key,
      digest: this.#ownDigest
    }
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag === "Refused") {
      this.#refusals = this.#refusals.filter(({ node }) => node !== from)
        .concat({ node: from, reason: message.reason })
      return this.step({ _tag: "Unreachable", index: this.#indexOf(from) })
    }
    if (message._tag !== "Fetched") return
    const { completeness } = message
    switch (message.outcome) {
      case "same":
        return this.#foundAt(from, this.#ownDigest, completeness)
      case "absent":
        return this.step({ _tag: "Absent", index: this.#indexOf(from), completeness })
      case "damaged":
        return this.step({ _tag: "Damaged", index: this.#indexOf(from) })
      case "found":
        return this.#take(from, message)
    }
  }

  /** Joins another replica's document into the states found so far. */
  #take(from: NodeId, { completeness, document: bytes }: Fetched): void {
    const index = this.#indexOf(from)
    const { counters, runtime } = this.context
    this.#bytes += bytes.length
    try {
      const { digest, document } = DocumentCodec.decodeWithDigest(bytes)
      if (!Document.canJoin(this.joined, document)) return this.step({ _tag: "Damaged", index })
      if (Document.discards(this.joined, document)) counters.discards++
      const joined = Document.join(this.joined, document)
      if (joined !== this.joined && this.decision.outcome._tag !== "Wait") {
        runtime.mark("read: a late answer is newer than the client's answer")
      }
      this.joined = joined
      this.#foundAt(from, digest, completeness)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.step({ _tag: "Damaged", index })
    }
  }

  #foundAt(node: NodeId, version: string, completeness: Completeness): void {
    const covered = VersionVector.covers(this.joined.context, this.read.after.vector)
    const complete = completeness === "complete"
    this.step({ _tag: "Found", index: this.#indexOf(node), version, covered, complete })
  }

  #indexOf(node: NodeId): number {
    return Targets.indexOf(this.decision.nodes, node)
  }

  tell(): void {
    const { outcome } = this.decision
    const { runtime } = this.context
    switch (outcome._tag) {
      case "Wait":
        return
      case "Answer":
        return this.found({ document: this.joined, replied: ReadDecision.had(this.decision).r })
      case "NotCovered":
        runtime.mark("read: the session has seen more than the replicas that answer")
        return this.found(
          new Errors.ContextNotCovered({
            bucket: this.read.bucket.definition.name,
            unreachable: this.#unreachable(outcome)
          })
        )
      case "Fail":
        runtime.mark("read: too few answer")
        return this.found(
          new Errors.QuorumNotMet({
            action: "read",
            needed: { r: outcome.needed.r, pr: outcome.needed.pr },
            had: outcome.had,
            unreachable: this.#unreachable(outcome),
            ...outcome.incomplete.length === 0 ? {} : { incomplete: outcome.incomplete },
            refused: [
              ...this.#refusals,
              ...outcome.damaged.map((node) => ({ node, reason: "its copy is damaged" }))
            ],
            mayHaveApplied: false
          })
        )
    }
  }

  /** The nodes that did not answer; those that refused are named with their reasons instead. */
  #unreachable({ unreachable }: ReadDecision.ReadFailed): ReadonlyArray<NodeId> {
    return unreachable.filter((node) => !this.#refusals.some((refusal) => refusal.node === node))
  }

  override bytesHeld(): number {
    return this.#bytes
  }

  /** No more replies are processed; the joined document is sent to every stale replica. */
  override finish(): void {
    readRepair(this.context, this)
  }
}
