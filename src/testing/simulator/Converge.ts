/**
 * Brings a healed cluster to rest: reads every document with all replicas through every node, which
 * repairs every stale replica, until all replicas are equal; the last reads are the result.
 */
import { rethrow } from "../../client/Task.ts"
import { Requester } from "../../client/Requester.ts"
import * as Session from "../../client/Session.ts"
import * as VersionVector from "../../core/clock/VersionVector.ts"
import { isLive } from "../../core/crdt/DotStore.ts"
import type { DotStore } from "../../core/crdt/DotStore.ts"
import type { FinalDocument, Shown, Size } from "./History.ts"
import { documentNameOf, type Plan } from "./Plan.ts"
import { stream } from "./SeededRandom.ts"
import { noWay, SimBackend } from "./SimBackend.ts"
import type { Named, SimCluster } from "./SimCluster.ts"
import type { SimNode } from "./SimNode.ts"
import { shownOf } from "./SimSession.ts"

const roundsMax = 6
const roundMillis = 3_000

const leavesOf = (store: DotStore | undefined): number => {
  switch (store?.kind) {
    case "tree":
      return [...store.children.values()].reduce((sum, child) => sum + leavesOf(child), 0)
    case "values":
      return store.siblings.length
    default:
      return isLive(store) ? 1 : 0
  }
}

/** The same for equal answers, in whatever order a vector lists its actors. */
const textOf = (answer: Shown | string): string =>
  typeof answer === "string"
    ? answer
    : JSON.stringify({ ...answer, vector: VersionVector.sorted(answer.vector) })

export class Converge {
  readonly #cluster: SimCluster
  readonly #plan: Plan
  readonly #documents: ReadonlyArray<Named>

  constructor(cluster: SimCluster, plan: Plan) {
    this.#cluster = cluster
    this.#plan = plan
    const named = plan.operations.map(({ bucket, key }): readonly [string, Named] => [
      documentNameOf({ bucket, key }),
      { bucket, key }
    ])
    this.#documents = [...new Map(named).values()]
  }

  run(): ReadonlyArray<FinalDocument> {
    for (let round = 1;; round++) {
      const shown = this.#readAll(round)
      const final = this.#documents.map((document) => this.#finalOf(document, shown))
      const isDone = final.every(({ digests, primaries, shown: answers, sizes }) =>
        new Set(primaries.map((node) => digests.get(node))).size === 1
        && [...sizes.values()].every(({ deferrals = 0 }) => deferrals === 0)
        // A row may turn out to be damaged only now that it is no longer in memory.
        && [...answers.values()].every((answer) => typeof answer !== "string")
        // A read that ends a removal changes the document, and others of its round show it before.
        && new Set([...answers.values()].map(textOf)).size === 1
      )
      // One more round after all are equal, since reads that repaired may have shown less.
      if (round >= roundsMax || (isDone && round > 1)) return final
    }
  }

  #readAll(round: number): ReadonlyMap<string, ReadonlyMap<string, Shown | string>> {
    const cluster = this.#cluster
    const { kernel } = cluster
    const all = new Map<string, Map<string, Shown | string>>()
    for (const document of this.#documents) {
      const shown = new Map<string, Shown | string>()
      all.set(documentNameOf(document), shown)
      for (const node of cluster.nodes.keys()) this.#read(document, node, round, shown)
    }
    kernel.run(kernel.now + roundMillis)
    return all
  }

  #read(document: Named, node: string, round: number, shown: Map<string, Shown | string>): void {
    const cluster = this.#cluster
    const { bucket: name, key } = document
    const random = stream(this.#plan.seed, `converge ${round} ${node} ${name} ${key}`)
    const backend = new SimBackend({ ...noWay, cluster, node, random })
    const bucket = cluster.bucket(name)
    shown.set(node, "no answer")
    // An incomplete replica that has nothing does not count: then not all can answer.
    const r = this.#areWhole(document) ? "all" : "quorum"
    const id = cluster.idOf(document)
    new Requester(backend, Session.none).readOfMany(bucket, id, { r })(
      () => shown.set(node, shownOf(cluster, document, backend.trace.answers.at(-1)!.answer)),
      (error) => shown.set(node, `${error._tag}: ${error.message}`),
      rethrow
    )
  }

  /** Whether all replicas of a document have all that they ever acknowledged of it. */
  #areWhole(document: Named): boolean {
    const row = this.#cluster.rowOf(document)
    return this.#cluster.primaries(document).every((node) =>
      this.#cluster.node(node).core?.completenessOf(row) === "complete"
    )
  }

  #finalOf(
    document: Named,
    shown: ReadonlyMap<string, ReadonlyMap<string, Shown | string>>
  ): FinalDocument {
    const cluster = this.#cluster
    const digests = new Map<string, string>()
    const sizes = new Map<string, Size>()
    for (const node of cluster.nodes.values()) this.#look(document, node, digests, sizes)
    return {
      ...document,
      shown: shown.get(documentNameOf(document))!,
      digests,
      primaries: cluster.primaries(document),
      sizes
    }
  }

  #look(
    document: Named,
    node: SimNode,
    digests: Map<string, string>,
    sizes: Map<string, Size>
  ): void {
    const local = node.core?.replica.read(this.#cluster.rowOf(document))
    if (local?._tag !== "Found") {
      digests.set(node.id, local?._tag.toLowerCase() ?? "down")
      return
    }
    const { context, deferred, store } = local.document
    digests.set(node.id, local.digest)
    sizes.set(node.id, {
      actors: [...context.keys()].sort(),
      leaves: leavesOf(store),
      deferrals: deferred.length
    })
  }
}
