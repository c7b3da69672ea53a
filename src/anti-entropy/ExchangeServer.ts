/**
 * Answers another node that compares its documents with those here, and repairs both. Each question
 * stands by itself: nothing is remembered between two of them.
 */
import type {
  AntiEntropy,
  AntiEntropyBody,
  Compare,
  Compared,
  Keeping,
  Offer,
  PartitionSum,
  Pull,
  Sketch
} from "../../schemas/AntiEntropyMessage.ts"
import { HashSet, isSameSum, noSum } from "../core/anti-entropy/HashSet.ts"
import { cellsOf } from "../core/anti-entropy/Sketch.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Includes } from "../replica/VersionIndex.ts"
import { heldOf } from "./Comparison.ts"
import {
  type ExchangeContext,
  gather,
  heldBy,
  keptFor,
  sharedWith,
  storeAll
} from "./ExchangeContext.ts"

const noCells = new Int32Array(0)

/** The comparison with a node that has nothing. */
const withoutAny = ({ hashKey, partitions, ring }: Keeping) => ({
  hashKey,
  ring,
  sums: partitions.map((partition) => ({ partition, sum: noSum }))
})

export class ExchangeServer {
  readonly #context: ExchangeContext
  #answered = 0
  #sentBytes = 0
  #taken = 0

  constructor(context: ExchangeContext) {
    this.#context = context
  }

  get counts() {
    return { answered: this.#answered, served: this.#sentBytes, taken: this.#taken }
  }

  /** Answers a question; false where the message is none. */
  take({ body, request }: AntiEntropy, from: NodeId): boolean {
    const answer = (of: AntiEntropyBody) => {
      this.#answered++
      this.#context.send(from, { _tag: "AntiEntropy", request, body: of })
    }
    switch (body.kind) {
      case "Compare":
        answer(
          this.#compare(
            body,
            ({ partition }) =>
              sharedWith(this.#context, { peer: from, partition, bucket: body.bucket })
          )
        )
        return true
      case "Keeping":
        answer(
          this.#compare(
            withoutAny(body),
            ({ partition }) => keptFor(this.#context, { peer: from, partition, bucket: "" })
          )
        )
        return true
      case "Sketch":
        if (this.#isFit(body)) answer(this.#sketch(body, from))
        return true
      case "Pull":
        if (this.#isFit(body)) this.#pull(body, from, answer)
        return true
      case "Offer":
        if (this.#isFit(body)) answer(this.#lacking(body))
        return true
      case "Push":
        storeAll(this.#context, body.documents, (taken, refused) => {
          this.#taken += taken
          answer({ kind: "Pushed", stored: taken, refused })
        })
        return true
      default:
        return false
    }
  }

  /** Whether a question asks for no more than any node does. */
  #isFit(asked: Offer | Pull | Sketch): boolean {
    const { limits: { sketchCellsMax, versionsInMessageMax }, view } = this.#context
    if (asked.partition >= view.ring.partitionCount) return false
    return asked.kind === "Sketch"
      ? asked.count > 0 && asked.from + asked.count <= sketchCellsMax
      : asked.versions.length <= 2 * versionsInMessageMax
  }

  #compare(
    { hashKey, ring, sums }: Pick<Compare, "hashKey" | "ring" | "sums">,
    includesOf: (of: PartitionSum) => Includes
  ): Compared {
    const { hashKeyId, replica: { versions }, standing, view } = this.#context
    const completeness = standing.completeness()
    const none = { kind: "Compared", completeness, differing: [], unread: [] } as const
    if (ring !== view.ring.digest) return { ...none, outcome: "other ring" }
    // While the cluster's key is rotated, hashes differ everywhere.
    if (hashKey !== hashKeyId) return { ...none, outcome: "other key" }
    const unread = sums.filter(({ partition }) => !versions.isWhole(partition))
    const differing = sums.filter(({ partition }) => versions.isWhole(partition))
      .map((theirs) => {
        const { partition, sum } = theirs
        const own = versions.sum(partition, includesOf(theirs))
        return { partition, sum: own, isSame: isSameSum(own, sum) }
      })
      .filter(({ isSame }) => !isSame)
    return {
      kind: "Compared",
      outcome: "compared",
      completeness,
      differing: differing.map(({ partition, sum }) => ({ partition, sum })),
      unread: unread.map(({ partition }) => partition)
    }
  }

  #sketch({ bucket, count, from, partition, slice }: Sketch, peer: NodeId): AntiEntropyBody {
    const { replica: { versions } } = this.#context
    if (!versions.isWhole(partition)) return { kind: "Sketched", sum: noSum, cells: noCells }
    const includes = sharedWith(this.#context, { peer, partition, bucket })
    const cells = cellsOf(
      (visit) => versions.each(partition, includes, visit),
      { from, count, slice }
    )
    return { kind: "Sketched", sum: versions.sum(partition, includes), cells }
  }

  #pull(
    { after, bucket, partition, versions }: Pull,
    peer: NodeId,
    answer: (body: AntiEntropyBody) => void
  ): void {
    // Also those that this node only keeps for others: its hints may still be on their way.
    const includes = heldBy(this.#context, { peer, partition, bucket })
    const wanted = versions.length === 0 ? undefined : this.#heldOf(partition, versions)
    const row = after && {
      partition,
      bucket: after.bucket,
      partitionKey: after.key.partition,
      sortKey: after.key.sort
    }
    gather(this.#context, { partition, includes, versions: wanted, after: row }, (gathered) => {
      if (gathered === undefined) return
      const { documents, through } = gathered
      for (const { document } of documents) this.#sentBytes += document.length
      answer({
        kind: "Pulled",
        documents,
        through: through && {
          bucket: through.bucket,
          key: { partition: through.partitionKey, sort: through.sortKey }
        }
      })
    })
  }

  /** Rows are not looked through for versions that others have taken the place of. */
  #heldOf(partition: number, asked: Uint32Array): HashSet {
    const { replica: { versions } } = this.#context
    const all = HashSet.of(asked.slice())
    return versions.isWhole(partition) ? HashSet.of(heldOf(versions, partition, all)) : all
  }

  #lacking({ partition, versions: offered }: Offer): AntiEntropyBody {
    const { replica: { versions } } = this.#context
    const lacking: Array<number> = []
    // Of rows that are not read yet nobody knows which versions they hold.
    if (!versions.isWhole(partition)) return { kind: "Lacking", versions: new Uint32Array(0) }
    for (let i = 0; i < offered.length; i += 2) {
      const [high, low] = [offered[i]!, offered[i + 1]!]
      if (!versions.has(partition, high, low)) lacking.push(high, low)
    }
    return { kind: "Lacking", versions: Uint32Array.from(lacking) }
  }
}
