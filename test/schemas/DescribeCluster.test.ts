/** A node tells its own standing in the words of the errors that name it. */
import { describe as group, expect, it } from "vitest"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { describe } from "../../schemas/DescribeCluster.ts"
import { type Completeness, completenesses } from "../../src/core/model/Completeness.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import * as Ring from "../../src/core/ring/Ring.ts"

const told = (completeness: Completeness): ClusterDescription["formation"] => {
  const awaited = completeness === "unsure" ? [NodeId.make("n2")] : []
  const formation = { formed: true, completeness, own: "named", awaited } as const
  const ring = Ring.empty({ partitionCount: 1, replicaCount: 3 })
  return describe({ cluster: "dev", node: "n1", ring, buckets: [], formation }).formation
}

group("the description of a cluster", () => {
  it("calls a store complete or incomplete, and has no third word", () => {
    const words = completenesses.map((completeness) => told(completeness)?.completeness)
    expect(words).toEqual(["incomplete", "incomplete", "complete"])
  })

  it("names the members whose answer a store awaits", () => {
    expect(told("unsure")).toEqual({ formed: true, completeness: "incomplete", awaited: ["n2"] })
    expect(told("incomplete")?.awaited).toEqual([])
  })
})
