// Checks that each count of a node is in the text of /metrics, with its value.
import { afterEach, beforeEach, expect, it } from "vitest"
import { metricsText } from "../../src/http/Metrics.ts"
import { samplesOf } from "../../src/node/Status.ts"
import { buckets, profiles } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

/** The value in /metrics of each node for a name; undefined where it has no such line. */
const shown = (name: string): ReadonlyArray<string | undefined> =>
  stepped.nodes.map(({ core }) =>
    new RegExp(`^everwrite_${name} (.*)$`, "mu").exec(metricsText(samplesOf(core, new Map())))?.[1]
  )

const put = (at: number, name: string) =>
  stepped.write(at, profiles, { key: "k", op: "put", args: [{ name }], w: 1 }).answer

it("shows the bytes held for an unreachable replica until they are given back", () => {
  stepped.cut(3)
  put(1, "Ada")
  const bytes = stepped.nodes[0]!.core.coordinator.lateBytes()
  expect(bytes).toBeGreaterThan(0)
  expect(shown("late_bytes")).toEqual([String(bytes), "0", "0"])
  stepped.runtime.advance(2_100)
  expect(shown("late_bytes")).toEqual(["0", "0", "0"])
})

/** Two write at once, and nodes 1 and 2 hold another last write than node 3. */
const writeApart = () => {
  stepped.cut(3)
  put(1, "Ada")
  // Until no node sends it any more: only its replicas receive the other.
  stepped.runtime.advance(2_100)
  put(3, "Grace")
}

it("a last write that is lost to another one is shown by the nodes that lose it", () => {
  writeApart()
  expect(shown("discards_total")).toEqual(["0", "0", "0"])
  stepped.heal()
  stepped.runtime.advance(1_000)
  expect(shown("discards_total")).toEqual(["1", "1", "0"])
})

it("a last write that is lost to another one in a read is shown by the node that reads", () => {
  writeApart()
  stepped.runtime.advance(2_100)
  stepped.heal()
  stepped.read(2, profiles, { key: "k", r: "all" })
  stepped.runtime.advance(1_000)
  expect(shown("discards_total")).toEqual(["0", "1", "0"])
})
