/**
 * Carries one read across the nodes that hold its document: asks all, answers the client as soon
 * as the decision says so, and repairs in the end whoever was behind.
 *
 * Other replicas say only that they hold the same where their digest matches this node's, so a
 * read of a converged document moves a few bytes.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as ReadDecision from "../core/quorum/ReadDecision.ts"
import * as Targets from "../core/quorum/Targets.ts"
import type { CoordinatorContext, Counts } from "./CoordinatorContext.ts"
import { primaries, targetsOf } from "./CoordinatorContext.ts"
import type { LateReplyBudget } from "./LateReplyBudget.ts"
import { lateMillis, type Waiting } from "../transport/InFlightRequests.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

/** Called once, with what the read found: a document, perhaps empty, or why there is none. */
export type Found = (
  outcome: { readonly document: Document.Document; readonly replied: number } | Errors.StoreError
) => void

export interface ReadOptions {
  readonly parts: CoordinatorContext
  readonly counts: Counts
  readonly plan: ValidatedRead
  readonly number: number
  readonly late: LateReplyBudget
  readonly found: Found
  /** Called once, when nothing more is expected. */
  readonly finished: () => void
}

export class ReadCoordinator implements Waiting {
  deadline: number
  readonly #options: ReadOptions
  #decision: ReadDecision.ReadDecision
  /** Everything found so far, joined. */
  #joined: Document.Document = Document.empty
  /** The digest of the own document, which peers compare with; empty where there is none. */
  #ownDigest = ""
  /** Why nodes would not answer; to the decision they are as good as unreachable. */
  readonly #refusals = new Map<NodeId, string>()
  /** Of documents that were fetched. */
  #bytes = 0
  /** Bytes that it may hold for silent replicas, now that it is answered. */
  #lateBytes = 0
  #finished = false

  constructor(options: ReadOptions) {
    const { parts, plan } = options
    this.#options = options
    this.deadline = parts.runtime.elapsed() + plan.timeoutMillis
    const covered = this.#covers()
    this.#decision = ReadDecision.make(plan.needs, targetsOf(primaries(parts, plan)), { covered })
  }

  /** Reads the own replica and asks the others. */
  start(): void {
    const { parts, plan } = this.#options
    const { outcome } = this.#decision
    if (outcome._tag !== "Wait") {
      this.#tell(outcome)
      return this.#options.finished()
    }
    const holding = parts.replica.read(plan.row)
    if (holding._tag === "Found") {
      this.#joined = holding.document
      this.#ownDigest = holding.digest
    }
    // The others are asked before the own answer counts, which may finish the read.
    this.resend()
    switch (holding._tag) {
      case "Found":
        return this.#foundAt(parts.node, holding.digest)
      case "Absent":
        return this.#step({ _tag: "Absent", index: this.#indexOf(parts.node) })
      case "Damaged":
        return this.#step({ _tag: "Damaged", index: this.#indexOf(parts.node) })
    }
  }

  resend(): void {
    const { number, parts, plan } = this.#options
    const name = {
      bucket: plan.bucket.definition.name,
      fingerprint: plan.bucket.fingerprint,
      key: plan.key
    }
    for (const node of ReadDecision.awaited(this.#decision)) {
      if (node === parts.node) continue
      parts.send(node, { _tag: "Fetch", request: number, ...name, digest: this.#ownDigest })
    }
  }

  expire(): void {
    this.#step({ _tag: "Deadline" })
  }

  /** Takes another node's answer. */
  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag === "Refused") {
      this.#refusals.set(from, message.reason)
      return this.#step({ _tag: "Unreachable", index: this.#indexOf(from) })
    }
    if (message._tag !== "Fetched") return
    switch (message.outcome) {
      case "same":
        return this.#foundAt(from, this.#ownDigest)
      case "absent":
        return this.#step({ _tag: "Absent", index: this.#indexOf(from) })
      case "damaged":
        return this.#step({ _tag: "Damaged", index: this.#indexOf(from) })
      case "found":
        return this.#take(from, message.document)
    }
  }

  #take(from: NodeId, bytes: Uint8Array): void {
    const index = this.#indexOf(from)
    this.#bytes += bytes.length
    try {
      const { digest, document } = DocumentCodec.decodeWithDigest(bytes)
      if (!Document.canJoin(this.#joined, document)) {
        return this.#step({ _tag: "Damaged", index })
      }
      if (Document.discards(this.#joined, document)) this.#options.counts.discards++
      const joined = Document.join(this.#joined, document)
      if (joined !== this.#joined && this.#decision.outcome._tag !== "Wait") {
        this.#options.parts.runtime.mark("read: a late answer brings what the client did not get")
      }
      this.#joined = joined
      this.#foundAt(from, digest)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.#step({ _tag: "Damaged", index })
    }
  }

  #foundAt(node: NodeId, version: string): void {
    const covered = this.#covers()
    this.#step({ _tag: "Found", index: this.#indexOf(node), version, covered })
  }

  #covers(): boolean {
    return VersionVector.covers(this.#joined.context, this.#options.plan.after.vector)
  }

  #indexOf(node: NodeId): number {
    return Targets.indexOf(this.#decision.nodes, node)
  }

  #step(event: ReadDecision.ReadEvent): void {
    const before = this.#decision.outcome
    this.#decision = ReadDecision.step(this.#decision, event)
    const { outcome } = this.#decision
    if (before._tag === "Wait" && outcome._tag !== "Wait") {
      this.deadline = Math.min(this.deadline, this.#options.parts.runtime.elapsed() + lateMillis)
      this.#tell(outcome)
      this.#waitOn()
    }
    if (ReadDecision.isSettled(this.#decision)) this.#finish()
  }

  #tell(outcome: Exclude<ReadDecision.ReadDecision["outcome"], { readonly _tag: "Wait" }>): void {
    const { found, plan } = this.#options
    const bucket = plan.bucket.definition.name
    const isSilent = (node: NodeId) => !this.#refusals.has(node)
    switch (outcome._tag) {
      case "Answer": {
        const replied = ReadDecision.had(this.#decision).r
        return found({ document: this.#joined, replied })
      }
      case "NotCovered":
        this.#options.parts.runtime.mark("read: the session has seen more than all who answer")
        return found(
          new Errors.ContextNotCovered({
            bucket,
            unreachable: outcome.unreachable.filter(isSilent)
          })
        )
      case "Fail":
        this.#options.parts.runtime.mark("read: too few answer")
        return found(
          new Errors.QuorumNotMet({
            action: "read",
            needed: { r: outcome.needed.r, pr: outcome.needed.pr },
            had: outcome.had,
            unreachable: outcome.unreachable.filter(isSilent),
            refused: [
              ...Array.from(this.#refusals, ([node, reason]) => ({ node, reason })),
              ...outcome.damaged.map((node) => ({ node, reason: "its copy is damaged" }))
            ],
            mayHaveApplied: false
          })
        )
    }
  }

  /** Answered, it waits for the silent, if there is room; else for nobody. */
  #waitOn(): void {
    const { late, parts } = this.#options
    if (ReadDecision.isSettled(this.#decision)) return
    if (late.take(this.#bytes)) {
      this.#lateBytes = this.#bytes
      return
    }
    parts.runtime.mark("read: there is no room to wait for the silent")
    this.#finish()
  }

  /** Nobody more is heard: whoever was behind gets what all who answered had. */
  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#options.late.giveBack(this.#lateBytes)
    this.#repair()
    this.#options.finished()
  }

  #repair(): void {
    const { counts, parts, plan } = this.#options
    if (this.#joined === Document.empty) return
    const versions = this.#decision.answers.versions
    const agreed = versions.every(({ version }) => version === versions[0]?.version)
    const joined = agreed && versions.length > 0
      ? { digest: String(versions[0]!.version), bytes: undefined }
      : DocumentCodec.encode(this.#joined)
    const stale = ReadDecision.repairs(this.#decision, joined.digest)
    if (stale.length === 0) return
    const document = joined.bytes ?? DocumentCodec.encode(this.#joined).bytes
    for (const { node } of stale) {
      counts.readRepairs++
      this.#markRepair(node)
      if (node === parts.node) {
        // A full disk would fail it, at the cost of an incarnation.
        if (!parts.replica.writable()) continue
        parts.replica.join({ key: plan.row, document: this.#joined }, () => {})
      } else {
        const { key } = plan
        const { fingerprint } = plan.bucket
        const bucket = plan.bucket.definition.name
        parts.send(node, {
          _tag: "Store",
          request: 0,
          bucket,
          fingerprint,
          key,
          sync: false,
          document
        })
      }
    }
  }

  #markRepair(node: NodeId): void {
    const { node: self, runtime } = this.#options.parts
    const { answers: { absent, damaged } } = this.#decision
    const index = this.#indexOf(node)
    if (node === self) runtime.mark("read: the own replica is repaired")
    else if (Targets.has(absent, index)) {
      runtime.mark("read: a replica that has nothing is repaired")
    } else if (Targets.has(damaged, index)) runtime.mark("read: a damaged replica is repaired")
    else runtime.mark("read: a stale replica is repaired")
  }
}
