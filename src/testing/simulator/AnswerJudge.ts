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

/** Begins to look as the request is made; the function that is returned judges its answer. */
export const judgeAnswer = (
  cluster: SimCluster,
  { body, bucket: name }: BackendRequest
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
  return ({ context, lost }) => {
    const { vector } = open(context)
    const unwritten = contexts.unwritten(row, vector)
    if (lost !== true) return { unwritten, lost: undefined }
    const sought = (body.after ?? []).map(open).reduce(CausalContext.join, CausalContext.nothing)
    const dots = LostDots.missing(sought.vector, vector)
    // Of a node with a second process, it is not known which of the two has what.
    const nodes = Ring.preferenceList(ring, row.partition).slice(0, definition.n)
      .filter((node) => !twinned.has(node))
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
