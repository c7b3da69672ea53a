/**
 * Carries one read across the replicas of its document: asks all, or as many as it needs and the
 * others when they turn out to be needed; is answered as soon as the decision says so, and repairs
 * every stale replica in the end.
 *
 * Other replicas say only that they hold the same where their digest matches this node's, so a
 * read of a converged document moves a few bytes.
 */
import type { Fetched, FetchedSince, PeerMessage } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as ReadDecision from "../core/quorum/ReadDecision.ts"
import * as Targets from "../core/quorum/Targets.ts"
import type { LocalRead } from "../replica/LocalDocument.ts"
import { checkDeferrals } from "./CheckDeferrals.ts"
import type { CoordinatorContext, HeldDocument } from "./CoordinatorContext.ts"
import { DotSearch, type SearchResult } from "./DotSearch.ts"
import { fetchMessage } from "./FetchMessage.ts"
import { Gather, type Served } from "./Gather.ts"
import { readRepair } from "./ReadRepair.ts"
import type { ReadOutcome } from "./ReadOutcome.ts"
import { ReplicaHistories } from "./ReplicaHistories.ts"
import { hasOthers, isPrimary, sloppyField, sloppyTargets } from "./SloppyTargets.ts"
import { sparedTargets } from "./SparedReplicas.ts"
import { ownWithReason, type Unanswered } from "./Unanswered.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

const late = { _tag: "Late" } as const

export abstract class ReadCoordinator
  extends Gather<ReadDecision.ReadDecision, ReadDecision.ReadEvent>
{
  readonly read: ValidatedRead
  /** Everything found so far, joined. */
  joined: Document.Document = Document.empty
  /** The newest document here, which peers compare with, and whether it is in `joined`. */
  #compared: { readonly document: Document.Document; readonly digest: string } | undefined
  #hasCompared = false
  #fetch: PeerMessage | undefined
  readonly histories = new ReplicaHistories()
  /** Nodes that are to send their document: what they sent cannot be joined into one yet. */
  #wholeFrom: Set<NodeId> | undefined
  /** Why nodes would not answer; to the decision they are as good as unreachable. */
  #refusals: ReadonlyArray<{ readonly node: NodeId; readonly reason: string }> = Targets.none
  /** Of documents that were fetched. */
  #bytes = 0
  /** Targets that were not asked at first. */
  readonly #spared: number

  constructor(
    context: CoordinatorContext,
    read: ValidatedRead,
    { deadline, serves, spares }: {
      readonly deadline: number
      readonly serves: Served
      /** Whether it asks as few replicas as can answer it; else all of them. */
      readonly spares: boolean
    }
  ) {
    const { needs } = read
    const { nodes, suspects } = sloppyTargets(context, read)
    const covered = VersionVector.covers(VersionVector.empty, read.after.vector)
    const spared = spares && isPrimary(context, read) ? sparedTargets(context, needs, nodes) : 0
    super(context, {
      rules: ReadDecision,
      decision: ReadDecision.make(needs, nodes, { covered, spared, suspects }),
      deadline,
      serves
    })
    this.read = read
    this.#spared = this.decision.spared
  }

  /** Takes the result of the read; called once. */
  abstract found(outcome: ReadOutcome): void

  /** Reads the own replica and asks the others. */
  start(): void {
    const { replica } = this.context
    if (this.decision.outcome._tag !== "Wait") return this.tell()
    const { after: { vector: after }, row: key } = this.read
    const newest = replica.read(key)
    if (newest._tag === "Found") this.#compared = newest
    // The others are asked before the own answer counts, which may finish the read.
    this.ask()
    replica.show({ key, newest, after }, (shown) => this.#takeOwn(shown))
  }

  message(node: NodeId): PeerMessage {
    if (this.#wholeFrom?.has(node) === true) return this.#message(undefined)
    const compared = this.#compared?.document
    return this.#fetch ??= this.#message(
      compared && this.context.replica.edits.isAskedSince(compared) ? compared.context : undefined
    )
  }

  #message(since: VersionVector.VersionVector | undefined): PeerMessage {
    const { after: { vector: after }, bucket, key } = this.read
    return fetchMessage({
      request: this.number,
      bucket: bucket.definition.name,
      fingerprint: bucket.fingerprint,
      key,
      digest: this.#compared?.digest ?? ""
    }, { after, since })
  }

  override lateMillis(): number {
    return this.decision.spared === 0 ? Infinity : this.context.limits.lateReadMinMillis
  }

  late(): void {
    this.step(late)
  }

  /** A fallback stands in for one that is late, as long as the client waits. */
  override overdue(node: NodeId): void {
    if (this.decision.outcome._tag !== "Wait") return
    this.step({ _tag: "Suspect", index: this.#indexOf(node) })
  }

  /** One that was asked later answers later. */
  override measures(node: NodeId): boolean {
    return this.#spared === 0 || !Targets.has(this.#spared, this.#indexOf(node))
  }

  override step(event: ReadDecision.ReadEvent): void {
    const { spared } = this.decision
    super.step(event)
    if (spared === this.decision.spared) return
    this.context.counters.readsWidened++
    const { runtime } = this.context
    if (event._tag === "Late") runtime.mark("read: a late one asks the replicas that it spared")
    else runtime.mark("read: the replicas that it spared are needed")
  }

  /** Takes the version that may be shown here: the newest, unless it is still under way. */
  #takeOwn(local: LocalRead): void {
    const { completenessOf, node } = this.context
    const completeness = completenessOf(this.read.row)
    switch (local._tag) {
      case "Found":
        if (local.document === this.#compared?.document) {
          return this.#joinCompared(node, completeness)
        }
        return this.#join(node, local, completeness)
      case "Absent":
        return this.step({ _tag: "Absent", index: this.#indexOf(node), completeness })
      case "Damaged":
        return this.step({ _tag: "Damaged", index: this.#indexOf(node) })
    }
  }

  /** A replica shows what is newest here; so it may be shown, whatever the own disk does. */
  #joinCompared(from: NodeId, completeness: Completeness): void {
    const compared = this.#compared
    // It compared with nothing, or with what it cannot have had.
    if (compared === undefined) return this.step({ _tag: "Damaged", index: this.#indexOf(from) })
    if (this.#hasCompared) return this.#foundAt(from, compared.digest, completeness)
    this.#hasCompared = true
    this.#join(from, compared, completeness)
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag === "Refused") {
      this.#refusals = this.#refusals.filter(({ node }) => node !== from)
        .concat({ node: from, reason: message.reason })
      return this.step({ _tag: "Unreachable", index: this.#indexOf(from) })
    }
    if (message._tag === "FetchedSince") return this.#takeSince(from, message)
    if (message._tag !== "Fetched") return
    const { completeness } = message
    switch (message.outcome) {
      case "same":
        return this.#joinCompared(from, completeness)
      case "absent":
        return this.step({ _tag: "Absent", index: this.#indexOf(from), completeness })
      case "damaged":
        return this.step({ _tag: "Damaged", index: this.#indexOf(from) })
      case "found":
        return this.#take(from, message)
    }
  }

  /** Reads what another replica has beyond the document here. */
  #takeSince(from: NodeId, message: FetchedSince): void {
    const compared = this.#compared?.document
    this.#bytes += message.edits.length
    if (compared === undefined) return this.step({ _tag: "Damaged", index: this.#indexOf(from) })
    // Of a document that nobody shows, the replica showed only the part that it has.
    if (!this.#hasCompared && !VersionVector.covers(message.context, compared.context)) {
      this.context.runtime.mark("read: changes come of a document that is not shown yet")
      this.#wholeFrom = (this.#wholeFrom ?? new Set()).add(from)
      return this.send(from)
    }
    const document = this.histories.take(from, compared, message)
    if (document === undefined) return this.step({ _tag: "Damaged", index: this.#indexOf(from) })
    this.context.runtime.mark("read: a replica sends what is not here")
    this.#join(from, { digest: message.digest, document }, message.completeness)
  }

  /** Reads another replica's document. */
  #take(from: NodeId, { completeness, document: bytes }: Fetched): void {
    this.#bytes += bytes.length
    try {
      this.#join(from, DocumentCodec.decodeWithDigest(bytes), completeness)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.step({ _tag: "Damaged", index: this.#indexOf(from) })
    }
  }

  /** Joins a replica's document into the states found so far. */
  #join(
    from: NodeId,
    { digest, document }: { readonly document: Document.Document; readonly digest: string },
    completeness: Completeness
  ): void {
    const { counters, runtime } = this.context
    const isOwn = from === this.context.node
    if (!isOwn && this.histories.of(from) === undefined) this.histories.add(from, document.context)
    if (this.joined === Document.empty) this.joined = document
    else {
      if (!Document.canJoin(this.joined, document)) {
        return this.step({ _tag: "Damaged", index: this.#indexOf(from) })
      }
      if (Document.discards(this.joined, document)) counters.discards++
      const joined = Document.join(this.joined, document)
      if (joined !== this.joined && this.decision.outcome._tag !== "Wait") {
        runtime.mark("read: a late answer is newer than the client's answer")
      }
      this.joined = joined
    }
    this.#foundAt(from, digest, completeness)
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
        return this.#foundDocument(this.joined, VersionVector.empty)
      case "NotCovered":
        runtime.mark("read: the session has seen more than the replicas that answer")
        return this.#seek(outcome)
      case "Fail":
        runtime.mark("read: too few answer")
        return this.found(
          new Errors.QuorumNotMet({
            action: "read",
            needed: { r: outcome.needed.r, pr: outcome.needed.pr },
            had: outcome.had,
            ...outcome.incomplete.length === 0 ? {} : { incomplete: outcome.incomplete },
            ...this.#unanswered(outcome),
            ...sloppyField(this.read),
            mayHaveApplied: false
          })
        )
    }
  }

  #foundDocument(document: Document.Document, lost: VersionVector.VersionVector): void {
    this.found({ document, replied: ReadDecision.had(this.decision).r, lost })
  }

  /** Asks where the dots are that the session has seen, if all that may have them can tell. */
  #seek(outcome: ReadDecision.ReadFailed): void {
    const { context, deadline, joined: known, read: searched, serves } = this
    if (outcome.unreachable.length + outcome.damaged.length > 0) {
      if (!hasOthers(context, searched)) return this.#notCovered(outcome)
    }
    const sought = searched.after.vector
    const ended = (result: SearchResult) => this.#sought(result)
    new DotSearch(context, { searched, sought, known, deadline, ended, serves }).start()
  }

  #sought({ gone, joined, missing, unreachable }: SearchResult): void {
    if (!VersionVector.covers(gone, missing)) {
      return this.#notCovered({ unreachable, damaged: Targets.none })
    }
    if (gone.size > 0) this.context.runtime.mark("read: a session has seen what is lost")
    this.#foundDocument(joined, gone)
  }

  #notCovered(uncounted: Pick<ReadDecision.ReadFailed, "unreachable" | "damaged">): void {
    const { name } = this.read.bucket.definition
    const { refused, unreachable } = this.#unanswered(uncounted)
    const reasons = refused.length === 0 ? {} : { refused }
    this.found(new Errors.ContextNotCovered({ bucket: name, unreachable, ...reasons }))
  }

  /** The nodes that did not answer; those that are known to have a reason are named with it. */
  #unanswered(
    { damaged, unreachable }: Pick<ReadDecision.ReadFailed, "unreachable" | "damaged">
  ): Unanswered {
    const refused = [
      ...this.#refusals,
      ...damaged.map((node) => ({ node, reason: "its copy is damaged" }))
    ]
    const isSilent = (node: NodeId) => !this.#refusals.some((refusal) => refusal.node === node)
    const silent = { unreachable: unreachable.filter(isSilent), refused }
    return ownWithReason(silent, this.context.node)
  }

  held(): HeldDocument {
    return { row: this.read.row, document: this.joined }
  }

  override bytesHeld(): number {
    return this.#bytes
  }

  /** No more replies are processed; the joined document is sent to every stale replica. */
  override finish(): void {
    readRepair(this.context, this)
    checkDeferrals(this.context, this.read, this.joined)
  }
}
