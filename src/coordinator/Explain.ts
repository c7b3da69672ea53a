/**
 * Explains one document to people: asks every primary for all it has, with the messages of a read,
 * and shows the answers side by side instead of joining and repairing them.
 */
import type * as Schema from "effect/Schema"
import type { Explanation, ReplicaExplanation, SeenActor } from "../../schemas/Explanation.ts"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { LocalRead } from "../replica/Replica.ts"
import { type CoordinatorContext, mergedOf, primaries } from "./CoordinatorContext.ts"
import type { Waiting } from "../transport/InFlightRequests.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

export interface ExplainOptions {
  readonly parts: CoordinatorContext
  readonly plan: ValidatedRead
  /** As the client wrote it. */
  readonly key: Schema.Json
  readonly number: number
  readonly respond: (outcome: Explanation | StoreError) => void
  /** Called once, when nothing more is expected. */
  readonly finished: () => void
}

/** What one replica answered. */
type Finding =
  | { readonly outcome: "found"; readonly document: Document.Document }
  | { readonly outcome: "absent" }
  | { readonly outcome: "damaged" | "refused"; readonly reason: string }

const nothing = { context: [], values: [], bytes: 0, digest: "" }

export class Explain implements Waiting {
  readonly deadline: number
  readonly #options: ExplainOptions
  readonly #primaries: ReadonlyArray<NodeId>
  readonly #findings = new Map<NodeId, Finding>()
  #finished = false

  constructor(options: ExplainOptions) {
    const { parts, plan } = options
    this.#options = options
    this.#primaries = primaries(parts, plan)
    this.deadline = parts.runtime.elapsed() + plan.timeoutMillis
  }

  start(): void {
    const { parts, plan } = this.#options
    this.resend()
    if (this.#primaries.includes(parts.node)) {
      this.#found(parts.node, findingOf(parts.replica.read(plan.row)))
    }
  }

  resend(): void {
    const { number, parts, plan } = this.#options
    const { bucket, key } = plan
    for (const node of this.#primaries) {
      if (node === parts.node || this.#findings.has(node)) continue
      parts.send(node, {
        _tag: "Fetch",
        request: number,
        bucket: bucket.definition.name,
        fingerprint: bucket.fingerprint,
        key,
        digest: ""
      })
    }
  }

  expire(): void {
    this.#finish()
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (!this.#primaries.includes(from)) return
    if (message._tag === "Refused") {
      return this.#found(from, { outcome: "refused", reason: message.reason })
    }
    if (message._tag !== "Fetched") return
    switch (message.outcome) {
      // A "same" would answer a digest, and none was sent.
      case "same":
        return
      case "absent":
        return this.#found(from, { outcome: "absent" })
      case "damaged":
        return this.#found(from, { outcome: "damaged", reason: "its copy is damaged" })
      case "found":
        return this.#found(from, decode(message.document))
    }
  }

  #found(node: NodeId, finding: Finding): void {
    this.#findings.set(node, finding)
    if (this.#findings.size === this.#primaries.length) this.#finish()
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#options.finished()
    this.#options.respond(this.#explanation())
  }

  #explanation(): Explanation {
    const { parts, plan } = this.#options
    const { definition } = plan.bucket
    const joined = this.#join()
    const replicas = this.#primaries.map((node) => this.#explain(node))
    const [first] = replicas
    const { partition } = plan.row
    return {
      bucket: definition.name,
      key: this.#options.key,
      explainedBy: parts.node,
      partition,
      preferenceList: parts.view.preferenceList(partition).map((node) => ({
        node,
        role: this.#primaries.includes(node) ? "primary" : "fallback"
      })),
      replicas,
      agreed: replicas.every(({ digest, outcome }) =>
        (outcome === "found" || outcome === "absent") && digest === first?.digest
      ),
      joined: { ...this.#show(joined), ...this.#merge(joined) }
    }
  }

  /** All that was found, joined; what cannot be joined is damaged, as a read finds it. */
  #join(): Document.Document {
    let joined = Document.empty
    for (const [node, finding] of this.#findings) {
      if (finding.outcome !== "found") continue
      if (Document.canJoin(joined, finding.document)) {
        joined = Document.join(joined, finding.document)
      } else {
        const reason = "its state is of another kind than the others'"
        this.#findings.set(node, { outcome: "damaged", reason })
      }
    }
    return joined
  }

  #explain(node: NodeId): ReplicaExplanation {
    const finding = this.#findings.get(node)
    switch (finding?.outcome) {
      case undefined:
        return { node, outcome: "unreachable", ...nothing }
      case "absent":
        return { node, outcome: "absent", ...nothing }
      case "damaged":
      case "refused":
        return { node, ...finding, ...nothing }
      case "found":
        return { node, outcome: "found", ...this.#show(finding.document) }
    }
  }

  #show(document: Document.Document) {
    if (document === Document.empty) return nothing
    const { strategy } = this.#options.plan.bucket
    const { bytes, digest } = DocumentCodec.encode(document)
    return {
      context: VersionVector.sorted(document.context).map(seenActor),
      values: strategy.view(document).values.map(CanonicalJson.decode),
      bytes: bytes.length,
      digest
    }
  }

  #merge(document: Document.Document): Pick<Explanation["joined"], "merged"> {
    const { bucket } = this.#options.plan
    const merged = mergedOf(bucket, bucket.strategy.view(document).values)
    return typeof merged === "string" ? { merged: CanonicalJson.decode(merged) } : {}
  }
}

const findingOf = (holding: LocalRead): Finding => {
  switch (holding._tag) {
    case "Found":
      return { outcome: "found", document: holding.document }
    case "Absent":
      return { outcome: "absent" }
    case "Damaged":
      return { outcome: "damaged", reason: holding.detail }
  }
}

const decode = (bytes: Uint8Array): Finding => {
  try {
    return { outcome: "found", document: DocumentCodec.decode(bytes) }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { outcome: "damaged", reason: `it sent no document: ${error.message}` }
  }
}

const seenActor = ([actor, counter]: readonly [string, number]): typeof SeenActor.Type => ({
  node: actor.slice(0, actor.indexOf(".")),
  actor,
  counter
})
