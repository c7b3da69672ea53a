/**
 * Judges each answer in the moment in which its node gives it: whether a disk has what it shows,
 * and whether what it tells its session to be lost is so.
 */
import type { BackendRequest } from "../../client/Backend.ts"
import type { Answer } from "../../coordinator/Request.ts"
import * as CausalContext from "../../core/clock/CausalContext.ts"
import * as LostDots from "../../core/clock/LostDots.ts"
import { encodeKey } from "../../core/model/KeyFields.ts"
import { rowKeyOf } from "../../core/ring/Partition.ts"
import * as Ring from "../../core/ring/Ring.ts"
import { invariant } from "../../core/Invariant.ts"
import { heldAllTheTime } from "./DiskContexts.ts"
import type { Lost } from "./History.ts"
import type { SimCluster } from "./SimCluster.ts"

export interface Judgement {
  /** Dots that are shown, and that no disk ever had. */
  readonly unwritten: ReadonlyArray<string>
  /** Undefined where the session is told of no loss. */
  readonly lost: Lost | undefined
}

/** How many of some nodes have run at any time since; one with a second process always has. */
const runningSince = (cluster: SimCluster, nodes: ReadonlyArray<string>): () => number => {
  const { incarnations, twinned } = cluster
  const isRunning = (id: string) => cluster.node(id).core !== undefined || twinned.has(id)
  const before = new Set(nodes.filter(isRunning))
  const begun = incarnations.length
  return () => {
    const since = new Set(incarnations.slice(begun).map(({ node }) => node))
    return nodes.filter((id) => before.has(id) || since.has(id) || isRunning(id)).length
  }
}

/** Begins to look as the request is made; the function that is returned judges its answer. */
export const judgeAnswer = (
  cluster: SimCluster,
  { action, body, bucket: name }: BackendRequest
): (answer: Answer) => Judgement => {
  const { contexts, damaged, keys, ring, twinned } = cluster
  const { definition } = cluster.bucket(name)
  const key = encodeKey(definition.key, body.key)
  const row = rowKeyOf({ bucket: name, key, partitionCount: ring.partitionCount })
  const open = (token: string): CausalContext.CausalContext => {
    const scope = { bucket: name, key, cluster: cluster.cluster, keys }
    const context = CausalContext.decode(token, scope)
    invariant(typeof context !== "string", "a context of the cluster is one")
    return context
  }
  const before = contexts.held(row)
  const primaries = Ring.preferenceList(ring, row.partition).slice(0, definition.n)
  const running = runningSince(cluster, primaries)
  return ({ context, lost, replied }) => {
    const { vector } = open(context)
    const count = running()
    if (action === "read" && vector.size === 0 && replied > count) {
      cluster.handoff.note(`${replied} nodes find nothing of ${name}, of ${count} that could know`)
    }
    const unwritten = contexts.unwritten(row, vector)
    if (lost !== true) return { unwritten, lost: undefined }
    const sought = (body.after ?? []).map(open).reduce(CausalContext.join, CausalContext.nothing)
    const dots = LostDots.missing(sought.vector, vector)
    // Of a node with a second process, it is not known which of the two has what.
    const nodes = primaries.filter((node) => !twinned.has(node))
    const held = heldAllTheTime(dots, { before, after: contexts.held(row), nodes })
    const isGroundless = damaged.size === 0 && twinned.size === 0
    return {
      unwritten,
      lost: {
        dots: [...dots].map(([actor, counter]) => `${actor} ${counter}`),
        held: isGroundless ? [...held, "though no disk has lost anything"] : held
      }
    }
  }
}
