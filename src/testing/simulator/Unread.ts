/**
 * Looks at the replicas of each document of a plan before any last read repairs them: where nodes
 * compare their documents in the background, all are equal a minute after the heal, and then rest.
 */
import type { Unrepaired } from "./History.ts"
import { documentNameOf, type Plan } from "./Plan.ts"
import type { SimCluster } from "./SimCluster.ts"

/** Until all are equal, and for as long they rest: longer than two of the longest intervals. */
export const equalWithinMillis = 60_000
export const restMillis = 10_000

/** Whether the plan's nodes compare their documents. */
export const compares = ({ limits }: Plan): boolean => (limits?.exchangeMillis ?? 0) > 0

/** Whether each node reads all its rows within the minute. */
export const scrubs = ({ limits }: Plan): boolean =>
  2 * (limits?.scrubMillis ?? Infinity) < equalWithinMillis

/** The documents whose replicas differ now. */
export const unrepaired = (
  cluster: SimCluster,
  { operations }: Plan
): ReadonlyArray<Unrepaired> => {
  const documents = new Map(operations.map((operation) => [documentNameOf(operation), operation]))
  return [...documents.values()].flatMap(({ bucket, key }) => {
    const row = cluster.rowOf({ bucket, key })
    const held = cluster.primaries({ bucket, key }).map((node) => {
      const local = cluster.node(node).core?.replica.read(row)
      const digest = local?._tag === "Found" ? local.digest : local?._tag.toLowerCase() ?? "down"
      return { node, digest }
    })
    return new Set(held.map(({ digest }) => digest)).size > 1 ? [{ bucket, key, held }] : []
  })
}

/** The outcome of all comparisons up to now, at all nodes. */
export interface Compared {
  /** Documents that a node has joined because it compared them with another's. */
  readonly repairs: number
  /** Versions that only one of two nodes had. */
  readonly differences: number
}

export const compared = (cluster: SimCluster): Compared => {
  let [repairs, differences] = [0, 0]
  for (const { core } of cluster.nodes.values()) {
    repairs += core?.antiEntropy.counts.repaired ?? 0
    differences += core?.antiEntropy.counts.differences ?? 0
  }
  return { repairs, differences }
}
