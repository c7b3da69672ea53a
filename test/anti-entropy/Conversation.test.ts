// Checks that an exchange which ends with an exception is not the last one of its node, that
// answers to a former process are answers to no question of this one, and that questions wait where
// clients do.
import { afterEach, expect, it, vi } from "vitest"
import type { NodeSync } from "../../schemas/SyncReport.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
afterEach(() => stepped.stop())

/** Starts two nodes, of which n1 alone has the last write. */
const startDiffering = async (onFailure?: (failure: unknown) => void): Promise<void> => {
  stepped = await SteppedCluster.start({
    nodes: 2,
    buckets,
    limits: { greetMillis: 60_000, exchangeMillis: 600_000, readAllPercent: 0 },
    ...onFailure === undefined ? {} : { onFailure }
  })
  stepped.runtime.advance(1_000)
  stepped.write(1, notes, { key: "k", op: "put", args: ["x"], w: 2 })
  stepped.cut(2)
  stepped.write(1, notes, { key: "k", op: "put", args: ["y"], w: 1 })
  stepped.runtime.advance(3_000)
  stepped.heal()
}

it.each([
  ["as it begins", "sum"],
  ["at an answer", "uncache"],
  ["after a pause", "has"]
])("an exchange that throws %s ends, and the next one goes on", async (_, method) => {
  const failures: Array<unknown> = []
  await startDiffering((failure) => failures.push(failure))
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

it("a process gives its questions other numbers than the former one did", async () => {
  const limits = { greetMillis: 60_000, exchangeMillis: 600_000 }
  stepped = await SteppedCluster.start({ nodes: 2, buckets, limits })
  const numbers = () => {
    stepped.runtime.advance(1_000)
    const { antiEntropy, link } = stepped.nodes.find(({ id }) => id === node(2))!.core
    const send = vi.spyOn(link, "send")
    antiEntropy.sync({ bucket: "", timeoutMillis: 10_000 }, () => {})
    stepped.runtime.advance(10_000)
    return send.mock.calls.flatMap(([, message]) =>
      message._tag === "AntiEntropy" ? [message.request] : []
    )
  }
  const former = numbers()
  stepped.cluster.crash(node(2))
  await stepped.restart(2)
  const present = numbers()
  expect(former).not.toEqual([])
  expect(present).not.toEqual([])
  expect(present.filter((number) => former.includes(number))).toEqual([])
})

it("an exchange rests between its questions while clients' requests take long", async () => {
  await startDiffering()
  const [first, second] = stepped.nodes
  const { antiEntropy, coordinator } = first!.core
  vi.spyOn(coordinator.admission().background, "restMillis").mockReturnValueOnce(0)
    .mockReturnValue(100)
  const { answered } = second!.core.antiEntropy.counts
  const questions = () => second!.core.antiEntropy.counts.answered - answered
  antiEntropy.sync({ bucket: "", timeoutMillis: 60_000 }, () => {})
  stepped.runtime.runReady()
  expect(questions()).toBe(1)
  stepped.runtime.advance(99)
  expect(questions()).toBe(1)
  stepped.runtime.advance(1)
  expect(questions()).toBe(2)
  stepped.runtime.advance(5_000)
  expect(second!.core.antiEntropy.counts.taken).toBe(1)
})
