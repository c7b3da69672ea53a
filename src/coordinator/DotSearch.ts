/**
 * Asks where dots are that a client has seen and no replica shows: every member, since each may
 * keep the document for one that was away. Its result says what was found, and which dots are
 * surely gone.
 *
 * A kept document is removed only after its target has it. So a member that has nothing any more
 * has handed it over before it said so, and whoever is asked after that shows it: before dots are
 * called gone, all are asked a second time.
 */
import type { Fetched, PeerMessage } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as LostDots from "../core/clock/LostDots.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { DocumentKey } from "../core/model/DocumentKey.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import * as CollectDecision from "../core/quorum/CollectDecision.ts"
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import { withHeld } from "../replica/HeldByRequests.ts"
import type { LocalRead } from "../replica/LocalDocument.ts"
import type { CoordinatorContext, HeldDocument } from "./CoordinatorContext.ts"
import { fetchMessage } from "./FetchMessage.ts"
import { Gather, type Served } from "./Gather.ts"
import { heldByRequests } from "./HeldDocuments.ts"

/** The document that a search is about. */
export interface SearchedDocument {
  readonly bucket: KnownBucket
  readonly key: DocumentKey
  readonly row: RowKey
}

export interface SearchResult {
  /** The join of all that was found. */
  readonly joined: Document.Document
  /** Dots that were sought and not found, and those of them that are surely gone. */
  readonly missing: VersionVector.VersionVector
  readonly gone: VersionVector.VersionVector
  readonly unreachable: ReadonlyArray<NodeId>
}

/** The answer of one node. */
interface Finding {
  /** Undefined where the node cannot read its row. */
  readonly document: Document.Document | undefined
  /** The incarnation that answered. */
  readonly incarnation: string
}

export interface SearchOptions {
  readonly searched: SearchedDocument
  readonly sought: VersionVector.VersionVector
  /** All that was found before. */
  readonly known: Document.Document
  readonly deadline: number
  readonly serves: Served | undefined
  /** All that the same search found when it asked first, and found that dots are gone. */
  readonly first?: Document.Document
  /** Called once. */
  readonly ended: (result: SearchResult) => void
}

export class DotSearch
  extends Gather<CollectDecision.CollectDecision<Finding>, CollectDecision.CollectEvent<Finding>>
{
  readonly #searched: SearchedDocument
  readonly #sought: VersionVector.VersionVector
  readonly #known: Document.Document
  readonly #options: SearchOptions

  constructor(context: CoordinatorContext, options: SearchOptions) {
    const { deadline, known, searched, serves, sought } = options
    const { view } = context
    const members = view.members().map(({ id }) => id)
    const missing = LostDots.missing(sought, known.context)
    super(context, {
      rules: CollectDecision,
      // Any member may keep the document for one that was away, as an owner does.
      decision: CollectDecision.make(LostDots.nodesToAsk({ missing, owners: members, members })),
      deadline,
      serves
    })
    this.#searched = searched
    this.#sought = sought
    this.#known = known
    this.#options = options
    if (options.first === undefined) context.counters.dotSearches++
  }

  start(): void {
    const { replica } = this.context
    const { row: key } = this.#searched
    this.ask()
    const newest = replica.read(key)
    const reading = { key, newest, after: this.#sought }
    const held = (key: RowKey) => heldByRequests(this.context, key)
    replica.show(reading, (shown) => this.#take(withHeld(shown, reading, held)))
  }

  message(): PeerMessage {
    const { bucket, key } = this.#searched
    return fetchMessage({
      request: this.number,
      bucket: bucket.definition.name,
      fingerprint: bucket.fingerprint,
      key,
      digest: ""
    }, { after: this.#sought })
  }

  hear(node: NodeId, message: PeerMessage): void {
    if (message._tag === "Refused") {
      return this.step({ _tag: "Refused", node, reason: message.reason })
    }
    if (message._tag !== "Fetched") return
    const incarnation = this.context.incarnationOf(node)
    this.step({ _tag: "Answered", node, answer: { document: documentOf(message), incarnation } })
    if (this.#isFound()) this.expire()
  }

  /** Whether nobody else need be waited for. */
  #isFound(): boolean {
    return this.decision.outcome._tag === "Wait"
      && LostDots.missing(this.#sought, this.#joined().context).size === 0
  }

  /** What nodes have shown. The rest may be the version of a write that no disk has. */
  held(): HeldDocument {
    return { row: this.#searched.row, document: this.#withAnswers(Document.empty) }
  }

  /** All that is known so far. */
  #joined(): Document.Document {
    return this.#withAnswers(this.#known)
  }

  #withAnswers(known: Document.Document): Document.Document {
    let joined = known
    const answers = [...this.decision.answers.values()].map(({ document }) => document)
    for (const document of [this.#options.first, ...answers]) {
      if (document === undefined || !Document.canJoin(joined, document)) continue
      joined = Document.join(joined, document)
    }
    return joined
  }

  #take(local: LocalRead): void {
    const { node, replica } = this.context
    const document = local._tag === "Found"
      ? local.document
      : local._tag === "Absent"
      ? Document.empty
      : undefined
    const answer = { document, incarnation: replica.incarnation() }
    this.step({ _tag: "Answered", node, answer })
  }

  tell(): void {
    const joined = this.#joined()
    const answered = new Map<string, string>()
    for (const [node, { document, incarnation }] of this.decision.answers) {
      if (document !== undefined && Document.canJoin(joined, document)) {
        answered.set(node, incarnation)
      }
    }
    const missing = LostDots.missing(this.#sought, joined.context)
    const owners = this.context.view.members().map(({ id }) => id)
    const members = new Set<string>(owners)
    const isMember = (node: string) => members.has(node)
    const gone = LostDots.surelyGone({ missing, owners, isMember, answered })
    if (gone.size > 0 && this.#options.first === undefined) {
      const first = this.#withAnswers(Document.empty)
      return new DotSearch(this.context, { ...this.#options, first }).start()
    }
    const unreachable = CollectDecision.awaited(this.decision)
    this.#options.ended({ joined, missing, gone, unreachable })
  }
}

/** The document of an answer; undefined where its node cannot read its row. */
const documentOf = ({ document, outcome }: Fetched): Document.Document | undefined => {
  if (outcome === "absent") return Document.empty
  // A "same" would answer a digest, and none was sent.
  if (outcome !== "found") return undefined
  try {
    return DocumentCodec.decode(document)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return undefined
  }
}
