// Checks that a node which is alone in its cluster, and whose store may lack something, takes an
// operator's word for what is lost.
import * as Schema from "effect/Schema"
import { afterEach, expect, it } from "vitest"
import { QuorumNotMet } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { standingAlarms } from "../../src/node/EdgeStatus.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })

let stepped: SteppedCluster
afterEach(() => stepped.stop())

it("is complete once the loss is accepted, and says before that it waits for that", async () => {
  let accepts = false
  stepped = await SteppedCluster.start({
    nodes: 1,
    buckets: [texts],
    limits: { exchangeMillis: 500 },
    acceptsLoss: () => accepts
  })
  stepped.runtime.advance(1_000)
  const strict = () => {
    const asked = stepped.read(1, texts, { key: "absent", r: 1, pr: 1 })
    stepped.runtime.advance(3_000)
    return asked
  }
  expect(strict().texts).toEqual([])
  const standing = Buffer.from("standing")
  const lose = () => {
    stepped.cluster.crash(node(1))
    stepped.nodes[0]!.disk.database.prepare(
      "UPDATE family_rows SET bytes = x'00' WHERE instr(key, ?) > 0"
    ).run(standing)
  }
  lose()
  await stepped.restart(1)
  stepped.runtime.advance(10_000)
  const core = () => stepped.nodes[0]!.core
  expect(core().formation.completeness()).toBe("incomplete")
  expect(strict().error).toBeInstanceOf(QuorumNotMet)
  expect(standingAlarms(core())).toEqual([expect.stringContaining("--accept-loss")])
  accepts = true
  stepped.cluster.crash(node(1))
  await stepped.restart(1)
  stepped.runtime.advance(10_000)
  expect(core().formation.completeness()).toBe("complete")
  expect(strict().texts).toEqual([])
})
