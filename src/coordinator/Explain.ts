/**
 * Explains one document to people: asks every primary for all that it has, with the messages of a
 * read, and shows the answers side by side instead of joining and repairing them. All other nodes
 * are asked what they keep of it for primaries.
 */
import type * as Schema from "effect/Schema"
import type {
  ExplainedHints,
  Explanation,
  ReplicaExplanation,
  SeenActor
} from "../../schemas/Explanation.ts"
import type { KeptHint } from "../../schemas/NodeQuestion.ts"
import type { Fetched, PeerMessage } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import type { NodeId } from "../core/model/Names.ts"
import { Undecodable } from "../core/model/StoreError.ts"
import * as CollectDecision from "../core/quorum/CollectDecision.ts"
import type { LocalRead } from "../replica/LocalDocument.ts"
import { mergedOf, readValues } from "./Answer.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { Gather } from "./Gather.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import { documentQuestion, hintsIn, hintsOf } from "./PeerQuestions.ts"
import { ownDiskIsLate } from "./Unanswered.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

/** The answer of one node: of a primary the state of its replica, of another one its hints. */
type Finding =
  | { readonly outcome: "found"; readonly document: Document.Document }
  | { readonly outcome: "absent" }
  | { readonly outcome: "damaged" | "refused"; readonly reason: string }
  | { readonly outcome: "keeps"; readonly hints: ReadonlyArray<KeptHint> }

/** The outcomes that tell all that a replica has. */
const answering: ReadonlySet<ReplicaExplanation["outcome"]> = new Set([
  "found",
  "deleted",
  "absent"
])

const nothing = { context: [], values: [], bytes: 0, digest: "" }

export class Explain
  extends Gather<CollectDecision.CollectDecision<Finding>, CollectDecision.CollectEvent<Finding>>
{
  readonly #read: ValidatedRead
  /** As the client wrote it. */
  readonly #key: Schema.Json
  readonly #open: OpenRequest<Explanation>
  readonly #primaries: ReadonlyArray<NodeId>

  constructor(
    context: CoordinatorContext,
    options: {
      readonly read: ValidatedRead
      readonly key: Schema.Json
      readonly open: OpenRequest<Explanation>
    }
  ) {
    const { key, open, read } = options
    const { bucket, row, timeoutMillis } = read
    const { primaries } = context.view.placement(row.partition, bucket.definition.n)
    super(context, {
      rules: CollectDecision,
      decision: CollectDecision.make(context.view.preferenceList(row.partition)),
      deadline: open.deadline(timeoutMillis),
      serves: open
    })
    this.#read = read
    this.#key = key
    this.#open = open
    this.#primaries = primaries
  }

  start(): void {
    const { node, replica, runtime } = this.context
    const { row: key } = this.#read
    this.ask()
    if (!this.#primaries.includes(node)) {
      const answer = { outcome: "keeps", hints: hintsOf(replica.hints, key, runtime) } as const
      return this.step({ _tag: "Answered", node, answer })
    }
    replica.show(
      { key, newest: replica.read(key), after: VersionVector.empty },
      (shown) => this.step({ _tag: "Answered", node, answer: findingOf(shown) })
    )
  }

  message(node: NodeId): PeerMessage {
    const { bucket, key } = this.#read
    if (!this.#primaries.includes(node)) {
      return documentQuestion(this.number, { bucket: bucket.definition.name, key })
    }
    return {
      _tag: "Fetch",
      request: this.number,
      bucket: bucket.definition.name,
      fingerprint: bucket.fingerprint,
      key,
      digest: ""
    }
  }

  hear(node: NodeId, message: PeerMessage): void {
    if (message._tag === "Refused") {
      const { reason } = message
      return this.step({ _tag: "Answered", node, answer: { outcome: "refused", reason } })
    }
    if (message._tag === "Told") {
      const hints = hintsIn(message)
      if (hints === undefined) return
      return this.step({ _tag: "Answered", node, answer: { outcome: "keeps", hints } })
    }
    // A "same" would answer a digest, and none was sent.
    if (message._tag !== "Fetched" || message.outcome === "same") return
    this.step({ _tag: "Answered", node, answer: fetchedFinding(message) })
  }

  tell(): void {
    this.#open.answer(this.#explanation())
  }

  /** A value that is no JSON has no place in an explanation, which is JSON itself. */
  #explanation(): Explanation | Undecodable {
    const { node: self } = this.context
    const { answers, nodes } = this.decision
    const primaries = this.#primaries
    const { partition } = this.#read.row
    const { findings, joined } = joinFindings(answers)
    const replicas: Array<ReplicaExplanation> = []
    for (const node of primaries) {
      const explained = this.#explain(node, findings.get(node))
      if (explained instanceof Undecodable) return explained
      replicas.push(explained)
    }
    const [shown, merged] = [this.#show(joined), this.#merge(joined)]
    if (shown instanceof Undecodable) return shown
    const [first] = replicas
    return {
      bucket: this.#read.bucket.definition.name,
      key: this.#key,
      explainedBy: self,
      partition,
      preferenceList: nodes.map((node) => ({
        node,
        role: primaries.includes(node) ? "primary" : "fallback"
      })),
      replicas,
      agreed: replicas.every(({ digest, outcome }) =>
        answering.has(outcome) && digest === first?.digest
      ),
      hints: this.#hints(),
      joined: { ...shown, ...merged }
    }
  }

  #hints(): ExplainedHints {
    const { answers, nodes } = this.decision
    const kept: Array<ExplainedHints["kept"][number]> = []
    const untold: Array<NodeId> = []
    for (const node of nodes.slice(this.#primaries.length)) {
      const answer = answers.get(node)
      if (answer?.outcome !== "keeps") untold.push(node)
      else for (const hint of answer.hints) kept.push({ node, ...hint })
    }
    return { kept, untold }
  }

  #explain(node: NodeId, finding: Finding | undefined): ReplicaExplanation | Undecodable {
    switch (finding?.outcome) {
      case undefined:
        return node === this.context.node
          ? { node, outcome: "refused", reason: ownDiskIsLate, ...nothing }
          : { node, outcome: "unreachable", ...nothing }
      case "absent":
      case "keeps":
        return { node, outcome: "absent", ...nothing }
      case "damaged":
      case "refused":
        return { node, ...finding, ...nothing }
      case "found": {
        const shown = this.#show(finding.document)
        if (shown instanceof Undecodable) return shown
        return { node, outcome: shown.values.length === 0 ? "deleted" : "found", ...shown }
      }
    }
  }

  #show(document: Document.Document) {
    if (document === Document.empty) return nothing
    const { bucket } = this.#read
    const read = readValues(bucket, document, this.context.view.agreedNow())
    if (read instanceof Undecodable) return read
    const { bytes, digest } = DocumentCodec.encode(document)
    return {
      context: VersionVector.sorted(document.context).map(seenActor),
      values: read.values,
      bytes: bytes.length,
      digest
    }
  }

  #merge(document: Document.Document): Pick<Explanation["joined"], "merged"> {
    const { bucket } = this.#read
    const read = readValues(bucket, document, this.context.view.agreedNow())
    if (read instanceof Undecodable) return {}
    const merged = mergedOf(bucket, read.texts)
    return typeof merged === "string" ? { merged: CanonicalJson.decode(merged) } : {}
  }
}

/** All that was found, joined; a document that cannot be joined is damaged, as a read finds it. */
const joinFindings = (answers: ReadonlyMap<NodeId, Finding>) => {
  const findings = new Map(answers)
  let joined = Document.empty
  for (const [node, finding] of answers) {
    if (finding.outcome !== "found") continue
    if (Document.canJoin(joined, finding.document)) {
      joined = Document.join(joined, finding.document)
    } else {
      const reason = "its state is of another kind than the others'"
      findings.set(node, { outcome: "damaged", reason })
    }
  }
  return { findings, joined }
}

const findingOf = (local: LocalRead): Finding => {
  switch (local._tag) {
    case "Found":
      return { outcome: "found", document: local.document }
    case "Absent":
      return { outcome: "absent" }
    case "Damaged":
      return { outcome: "damaged", reason: local.detail }
  }
}

const fetchedFinding = ({ document, outcome }: Fetched): Finding => {
  switch (outcome) {
    case "found":
      return decode(document)
    case "damaged":
      return { outcome, reason: "its copy is damaged" }
    default:
      return { outcome: "absent" }
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
