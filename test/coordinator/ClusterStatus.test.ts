// Checks that one question tells an operator the state of each node, in its own words.
import * as Schema from "effect/Schema"
import { afterEach, expect, it } from "vitest"
import { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import { questionsBy } from "../../src/client/NodeQuestions.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { headings, rowOf } from "../../src/cli/ClusterCommand.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })

let stepped: SteppedCluster
afterEach(() => stepped.stop())

const start = async (nodes: number): Promise<void> => {
  stepped = await SteppedCluster.start({ nodes, buckets: [notes] })
  stepped.runtime.advance(2_000)
}

/** The state of the cluster as the node tells it within a time. */
const statusAt = (at: number, timeoutMillis: number): ClusterStatus => {
  const told: Array<unknown> = []
  questionsBy(stepped.cluster.backends[at - 1]!)
    .status({ timeoutMillis }, (outcome) => told.push(outcome))
  stepped.runtime.advance(timeoutMillis)
  expect(told).toHaveLength(1)
  return Schema.decodeUnknownSync(ClusterStatus)(told[0])
}

it("each node tells whom it sees, whether it is complete, and what it owes", async () => {
  await start(3)
  const { cluster, node, nodes } = statusAt(2, 500)
  expect([cluster, node]).toEqual(["test", "n2"])
  expect(nodes.map(({ node, told }) => [node, told?.node])).toEqual([
    ["n1", "n1"],
    ["n2", "n2"],
    ["n3", "n3"]
  ])
  for (const { node, told } of nodes) {
    expect(told).toMatchObject({
      formation: { formed: true, completeness: "complete" },
      hints: { node, bytes: 0, nodes: [] }
    })
    const others = ["n1", "n2", "n3"].filter((id) => id !== node)
    expect(told!.peers.map(({ belief, id }) => [id, belief]))
      .toEqual(others.map((id) => [id, "up"]))
    expect(told!.incarnation).toMatch(/^[0-9a-z]{15}$/u)
  }
})

it("a node that does not answer is among them, and the others tell what they owe it", async () => {
  await start(4)
  const { others: [fallback = 0], primaries: [first = 0, , third = 0] } = stepped
    .nodesOf(notes, "k")
  stepped.cut(third)
  stepped.runtime.advance(6_000)
  stepped.write(first, notes, { key: "k", op: "put", args: ["x"] })
  stepped.runtime.advance(1_500)
  const { nodes } = statusAt(first, 500)
  expect(nodes.map(({ told }) => told === undefined)).toEqual(
    [1, 2, 3, 4].map((at) => at === third)
  )
  expect(nodes[third - 1]).toEqual({ node: `n${third}` })
  expect(rowOf(nodes[third - 1]!)).toEqual([`n${third}`, "does not answer"])
  const row = rowOf(nodes[fallback - 1]!)
  expect(row).toHaveLength(headings.length)
  expect(row.slice(0, 3)).toEqual([`n${fallback}`, "complete", `n${third} down`])
  expect(row[4]).toMatch(new RegExp(`^n${third} 1 \\(\\d+ B\\)$`, "u"))
})
