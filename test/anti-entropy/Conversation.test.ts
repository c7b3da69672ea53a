// Checks that an exchange which ends with an exception is not the last one of its node.
import { afterEach, expect, it, vi } from "vitest"
import type { NodeSync } from "../../schemas/SyncReport.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
afterEach(() => stepped.stop())

it.each([
  ["as it begins", "sum"],
  ["at an answer", "uncache"],
  ["after a pause", "has"]
])("an exchange that throws %s ends, and the next one goes on", async (_, method) => {
  const failures: Array<unknown> = []
  stepped = await SteppedCluster.start({
    nodes: 2,
    buckets,
    limits: { greetMillis: 60_000, exchangeMillis: 600_000, readAllPercent: 0 },
    onFailure: (failure) => failures.push(failure)
  })
  stepped.runtime.advance(1_000)
  stepped.write(1, notes, { key: "k", op: "put", args: ["x"], w: 2 })
  stepped.cut(2)
  stepped.write(1, notes, { key: "k", op: "put", args: ["y"], w: 1 })
  stepped.runtime.advance(1_000)
  stepped.heal()
  const { antiEntropy, replica } = stepped.nodes[1]!.core
  const told: Array<NodeSync> = []
  const sync = () => {
    antiEntropy.sync({ bucket: "", timeoutMillis: 10_000 }, (nodes) => told.push(...nodes))
    stepped.runtime.advance(10_000)
  }
  const exception = new Error("thrown by the test")
  const throws: { [method: string]: () => unknown } = Object(
    method === "uncache" ? replica : replica.versions
  )
  vi.spyOn(throws, method).mockImplementationOnce(() => {
    throw exception
  })
  try {
    sync()
  } catch (failure) {
    failures.push(failure)
  }
  stepped.runtime.advance(10_000)
  sync()
  expect(failures).toEqual([exception])
  expect(told).toMatchObject([
    { outcome: "failed", reason: "an exception" },
    { outcome: "compared", repaired: 1 }
  ])
})
