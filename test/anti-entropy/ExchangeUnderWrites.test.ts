// Checks that nodes find all that differs though every partition is written while they compare.
import { afterEach, expect, it, vi } from "vitest"
import type { NodeSync } from "../../schemas/SyncReport.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import type { NodeLimits } from "../../src/core/model/Limits.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const partitionCount = 16

let stepped: SteppedCluster
afterEach(() => stepped.stop())

const start = async (limits: Partial<NodeLimits> = {}): Promise<void> => {
  const own = { greetMillis: 60_000, exchangeMillis: 600_000, readAllPercent: 0, ...limits }
  stepped = await SteppedCluster.start({ nodes: 3, buckets, partitionCount, limits: own })
  stepped.runtime.advance(1_000)
}

/** So many keys of each partition. */
const keysOf = (prefix: string, each: number): ReadonlyArray<string> => {
  const left = new Map(Array.from({ length: partitionCount }, (_, partition) => [partition, each]))
  const keys: Array<string> = []
  for (let i = 0; left.size > 0; i++) {
    const key = `${prefix}${i}`
    const { partition } = stepped.rowOf(notes, key)
    const wanted = left.get(partition) ?? 0
    if (wanted > 0) keys.push(key)
    if (wanted > 1) left.set(partition, wanted - 1)
    else left.delete(partition)
  }
  return keys
}

const isEqual = (key: string): boolean =>
  new Set(stepped.held(notes, key).map((held) => DocumentCodec.encode(held!).digest)).size === 1

/** Has the first node write all these keys in the turn after each message of an exchange. */
const writeWithEachMessage = (keys: ReadonlyArray<string>): void => {
  const [writer] = stepped.cluster.backends
  let count = 0
  const write = () => {
    count++
    for (const key of keys) {
      const body = { key, calls: [{ name: "put", args: [`${count}`] }], w: 1 }
      writer!.request({ action: "write", bucket: BucketName.make(notes.name), body }, () => {})
    }
  }
  for (const { core: { link } } of stepped.nodes) {
    const send = link.send.bind(link)
    vi.spyOn(link, "send").mockImplementation((to, message) => {
      if (message._tag === "AntiEntropy") stepped.runtime.endOfTurn(write)
      return send(to, message)
    })
  }
}

it.each<[string, Partial<NodeLimits>, number]>([
  ["one document of each", {}, 1],
  ["many documents of each", {}, 12],
  ["some documents in slices of each", { sketchCellsMax: 4, sketchVersionsMax: 4 }, 5]
])("one exchange repairs %s partition while all are written", async (_, limits, each) => {
  await start(limits)
  const written = keysOf("written", 1)
  const missed = keysOf("missed", each)
  for (const key of written) stepped.write(1, notes, { key, op: "put", args: ["first"], w: 3 })
  stepped.cut(3)
  for (const key of missed) stepped.write(1, notes, { key, op: "put", args: ["x"], w: 2 })
  stepped.runtime.advance(2_000)
  stepped.heal()
  expect(missed.filter(isEqual)).toEqual([])
  writeWithEachMessage(written)
  const told: Array<NodeSync> = []
  const { antiEntropy } = stepped.nodes[2]!.core
  antiEntropy.sync({ bucket: "", timeoutMillis: 10_000 }, (nodes) => told.push(...nodes))
  stepped.runtime.advance(10_000)
  expect(missed.filter((key) => !isEqual(key))).toEqual([])
  expect(told).toMatchObject([{ node: "n1", outcome: "compared", repaired: missed.length }, {
    node: "n2",
    outcome: "compared"
  }])
})

it("no rows are looked through for versions that are overwritten meanwhile", async () => {
  await start({ versionRowsMax: 4 })
  const written = keysOf("written", 1)
  for (let i = 0; i < 400; i++) {
    stepped.write(1, notes, { key: `k${i}`, op: "put", args: ["x"], w: 3 })
  }
  stepped.cut(3)
  for (const key of written) stepped.write(1, notes, { key, op: "put", args: ["first"], w: 2 })
  stepped.runtime.advance(2_000)
  stepped.heal()
  const { antiEntropy } = stepped.nodes[2]!.core
  const look = vi.spyOn(stepped.nodes[0]!.core.replica.versions, "look")
  antiEntropy.sync({ bucket: "", timeoutMillis: 10_000 }, () => {})
  stepped.runtime.advance(100)
  for (const key of written) stepped.write(1, notes, { key, op: "put", args: ["second"], w: 3 })
  stepped.runtime.advance(10_000)
  expect(written.filter((key) => !isEqual(key))).toEqual([])
  // One step is enough to find that none is to be sent.
  expect(look.mock.calls.length).toBeLessThanOrEqual(partitionCount)
})
