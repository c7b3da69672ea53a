// Checks that idle nodes learn from greetings alone that an outage between them is over.
import { expect, it } from "vitest"
import { buckets, notes } from "../cluster/buckets.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

it("nodes that suspect each other believe each other up once frames pass again", async () => {
  const stepped = await SteppedCluster.start({ nodes: 3, buckets })
  stepped.cut(3)
  for (const at of [1, 2, 3]) stepped.write(at, notes, { key: "k", op: "put", args: ["v"], w: 1 })
  stepped.runtime.advance(10_000)
  const suspects = (at: number) => stepped.nodes[at - 1]!.core.view.liveness.suspects()
  expect(suspects(1)).toEqual([node(3)])
  expect(suspects(3)).toHaveLength(2)

  stepped.heal()
  stepped.runtime.advance(1_000)
  expect([1, 2, 3].flatMap(suspects)).toEqual([])
  const late = [1, 2, 3].flatMap((at) =>
    stepped.nodes[at - 1]!.core.view.peers().filter(({ lastFrameAgeMillis }) =>
      lastFrameAgeMillis === null || lastFrameAgeMillis > 1_000
    )
  )
  expect(late).toEqual([])
  stepped.stop()
})
