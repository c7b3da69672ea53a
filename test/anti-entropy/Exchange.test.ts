// Checks that replicas which differ become equal though nobody reads, in whichever way they came to
// differ, and what it costs where they are equal.
import { afterEach, describe, expect, it, vi } from "vitest"
import type { NodeSync } from "../../schemas/SyncReport.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import type { NodeLimits } from "../../src/core/model/Limits.ts"
import { ScanFailed } from "../../src/storage/Storage.ts"
import { buckets, notes, profiles } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
afterEach(() => stepped.stop())

const start = async (limits: Partial<NodeLimits> = {}): Promise<void> => {
  const own = { greetMillis: 60_000, exchangeMillis: 500, readAllPercent: 0, ...limits }
  stepped = await SteppedCluster.start({ nodes: 3, buckets, limits: own })
  stepped.runtime.advance(1_000)
}

const counts = (at: number) => stepped.nodes[at - 1]!.core.antiEntropy.counts
const repairs = () => [1, 2, 3].reduce((sum, at) => sum + counts(at).repaired, 0)

/** The digests that the nodes have of a note, each once. */
const states = (key: string): ReadonlySet<string> =>
  new Set(
    stepped.held(notes, key).map((held) =>
      held === undefined ? "damaged" : DocumentCodec.encode(held).digest
    )
  )

const partitionOf = (i: number): number => stepped.rowOf(notes, `k${i}`).partition

/** Writes notes that a node misses. */
const writeWithout = (at: number, count: number, text = "x"): void => {
  stepped.cut(at)
  for (let i = 0; i < count; i++) {
    stepped.write(at === 1 ? 2 : 1, notes, { key: `k${i}`, op: "put", args: [text], w: 2 })
  }
  stepped.runtime.advance(2_000)
  stepped.heal()
}

describe("replicas that differ", () => {
  it.each<[string, Partial<NodeLimits>]>([
    ["with the usual limits", {}],
    ["with the least of each limit", {
      repairBatchBytes: 1,
      versionsInMessageMax: 1,
      partitionsInMessageMax: 1,
      sketchCellsMax: 4,
      sketchVersionsMax: 1,
      versionRowsMax: 1
    }]
  ])("become equal without a read, %s", async (_, limits) => {
    await start(limits)
    writeWithout(3, 40)
    expect(states("k0").size).toBe(2)
    stepped.runtime.advance(30_000)
    for (let i = 0; i < 40; i++) expect(states(`k${i}`).size).toBe(1)
  })

  it("both join what the other has, where each missed a write", async () => {
    await start()
    writeWithout(3, 5, "without 3")
    writeWithout(1, 5, "without 1")
    stepped.runtime.advance(30_000)
    expect(states("k4").size).toBe(1)
    const { answer } = stepped.read(2, notes, { key: "k4", r: "all" })
    expect(answer.values.map(String).toSorted()).toEqual(["without 1", "without 3"])
    const before = repairs()
    stepped.runtime.advance(10_000)
    expect(repairs()).toBe(before)
  })

  it("become equal at once where a user asks, and tell how many differed", async () => {
    await start({ exchangeMillis: 600_000 })
    writeWithout(3, 7)
    const told: Array<ReadonlyArray<NodeSync>> = []
    const { antiEntropy } = stepped.nodes[2]!.core
    const sync = (bucket: string) =>
      antiEntropy.sync({ bucket, timeoutMillis: 10_000 }, (synced) => told.push(synced))
    sync(profiles.definition.name)
    sync("")
    stepped.runtime.advance(10_000)
    const equal = { outcome: "compared", differences: 0, repaired: 0 }
    expect(told).toEqual([
      [{ node: "n1", ...equal }, { node: "n2", ...equal }],
      [{ node: "n1", ...equal, differences: 7, repaired: 7 }, { node: "n2", ...equal }]
    ])
    expect(states("k6").size).toBe(1)
    expect(antiEntropy.lastExchanges().some(({ repaired }) => repaired > 0)).toBe(false)
    const { view } = stepped.nodes[2]!.core
    expect(view.peers().map(({ lastExchange }) => lastExchange)).toMatchObject([
      { differences: 7, repaired: 7 },
      { differences: 0, repaired: 0 }
    ])
    expect(view.peers()[0]!.lastExchange!.ageMillis).toBeGreaterThan(5_000)
  })

  it("tell a user how far they have come when the time is up, and of a node cut off", async () => {
    await start({ exchangeMillis: 600_000, repairBatchBytes: 1, repairBytesPerSecond: 100 })
    writeWithout(3, 7)
    stepped.cut(2)
    const told: Array<ReadonlyArray<NodeSync>> = []
    const { antiEntropy } = stepped.nodes[2]!.core
    antiEntropy.sync({ bucket: "", timeoutMillis: 1_000 }, (synced) => told.push(synced))
    antiEntropy.sync({ bucket: "", timeoutMillis: 20_000 }, (synced) => told.push(synced))
    stepped.runtime.advance(20_000)
    expect(told[0]).toMatchObject([{ outcome: "under way" }, { outcome: "under way" }])
    expect(told[1]).toMatchObject([
      { node: "n1", outcome: "compared", differences: 0 },
      { node: "n2", outcome: "failed", reason: "the other node does not answer" }
    ])
    expect(states("k6").size).toBe(1)
  })

  it("become equal more slowly while clients' requests take long, and soon later", async () => {
    const limits = {
      repairBatchBytes: 1,
      repairBytesPerSecond: 1_000,
      backgroundWindowMillis: 2_000
    }
    await start({ ...limits, exchangeMillis: 600_000 })
    writeWithout(3, 60)
    const { antiEntropy, coordinator } = stepped.nodes[2]!.core
    const moved = (millis: number): number => {
      const before = antiEntropy.counts.movedBytes
      stepped.runtime.advance(millis)
      return antiEntropy.counts.movedBytes - before
    }
    const { background } = coordinator.admission()
    const now = () => stepped.runtime.elapsed()
    for (let i = 0; i < 20; i++) background.ended(1_000, now())
    antiEntropy.sync({ bucket: "", timeoutMillis: 60_000 }, () => {})
    moved(600)
    const slow = moved(1_000)
    moved(1_000)
    const fast = moved(1_000)
    expect(slow).toBeGreaterThan(0)
    expect(fast).toBeGreaterThan(4 * slow)
    expect(fast).toBeLessThan(1_200)
  })

  it("become equal, and rest, where a disk lost rows before older versions came", async () => {
    await start({ cacheBytesMax: 0 })
    for (let i = 0; i < 5; i++) {
      stepped.write(1, notes, { key: `k${i}`, op: "put", args: ["first"], w: 3 })
    }
    writeWithout(3, 5, "second")
    stepped.nodes[1]!.disk.database.exec("DELETE FROM documents")
    // The older versions come first: n1 is away meanwhile.
    stepped.cut(1)
    stepped.runtime.advance(10_000)
    stepped.heal()
    stepped.runtime.advance(30_000)
    for (let i = 0; i < 5; i++) expect(states(`k${i}`).size).toBe(1)
    expect(stepped.read(2, notes, { key: "k4", r: 1 }).texts).toEqual(["first", "second"])
    const before = [1, 2, 3].map(counts)
    stepped.runtime.advance(10_000)
    const after = [1, 2, 3].map(counts)
    expect(after.map((count) => [count.differences, count.repaired]))
      .toEqual(before.map((count) => [count.differences, count.repaired]))
  })

  it("become equal where a node that lost a row got an older version by a write", async () => {
    await start({ cacheBytesMax: 0, exchangeMillis: 600_000 })
    stepped.write(1, notes, { key: "k0", op: "put", args: ["first"], w: 3 })
    const [older] = stepped.held(notes, "k0")
    stepped.write(1, notes, { key: "k0", op: "put", args: ["second"], w: 3 })
    stepped.runtime.advance(1_000)
    const [, second] = stepped.nodes
    second!.disk.database.exec("DELETE FROM documents")
    const key = stepped.rowOf(notes, "k0")
    expect(second!.core.replica.join({ key, document: older! }, () => {})._tag).toBe("Joined")
    stepped.runtime.runReady()
    const sync = () => {
      second!.core.antiEntropy.sync({ bucket: "", timeoutMillis: 5_000 }, () => {})
      stepped.runtime.advance(5_000)
    }
    // The first one finds that the others have something later, the second one fetches it.
    sync()
    sync()
    expect(states("k0").size).toBe(1)
    expect(stepped.read(2, notes, { key: "k0", r: 1 }).texts).toEqual(["first", "second"])
  })

  it("tell a user of how many partitions one of the nodes has not read the rows", async () => {
    await start({ exchangeMillis: 600_000 })
    const [first, second, third] = stepped.nodes.map(({ core }) => core)
    const told: Array<ReadonlyArray<NodeSync>> = []
    const sync = () =>
      third!.antiEntropy.sync({ bucket: "", timeoutMillis: 10_000 }, (nodes) => told.push(nodes))
    first!.replica.versions.forget(4)
    first!.replica.versions.forget(5)
    sync()
    stepped.runtime.advance(10_000)
    third!.replica.versions.forget(4)
    second!.replica.versions.forget(5)
    sync()
    stepped.runtime.advance(10_000)
    sync()
    stepped.runtime.advance(10_000)
    const compared = { outcome: "compared", differences: 0, repaired: 0 }
    const [n1, n2] = [{ node: "n1", ...compared }, { node: "n2", ...compared }]
    expect(told).toEqual([
      [{ ...n1, skipped: 2 }, n2],
      [{ ...n1, skipped: 1 }, { ...n2, skipped: 2 }],
      [n1, n2]
    ])
  })

  it("become equal though exchanges end at one partition that cannot be read", async () => {
    await start({ exchangeMillis: 600_000 })
    writeWithout(3, 40)
    const all = Array.from({ length: 40 }, (_, i) => i)
    const lowest = Math.min(...all.map(partitionOf))
    for (const { core } of stepped.nodes.slice(0, 2)) {
      const { versions } = core.replica
      const look = versions.look.bind(versions)
      vi.spyOn(versions, "look").mockImplementation((partition, ...others) => {
        if (partition === lowest) throw new ScanFailed("injected")
        return look(partition, ...others)
      })
    }
    for (let turn = 0; turn < 2; turn++) {
      stepped.nodes[2]!.core.antiEntropy.sync({ bucket: "", timeoutMillis: 20_000 }, () => {})
      stepped.runtime.advance(20_000)
    }
    const unequal = all.filter((i) => states(`k${i}`).size > 1)
    expect(unequal).toEqual(all.filter((i) => partitionOf(i) === lowest))
  })

  it("are not compared, though a user asks, where exchanges are off", async () => {
    await start({ exchangeMillis: 0 })
    writeWithout(3, 1)
    const told: Array<ReadonlyArray<NodeSync>> = []
    const { antiEntropy } = stepped.nodes[2]!.core
    antiEntropy.sync({ bucket: "", timeoutMillis: 5_000 }, (nodes) => told.push(nodes))
    stepped.runtime.advance(10_000)
    expect(told[0]?.map(({ outcome }) => outcome)).toEqual(["failed", "failed"])
    expect(antiEntropy.counts.exchanges).toBe(0)
    expect(states("k0").size).toBe(2)
  })

  it("wait for the next exchange where an answer is lost", async () => {
    await start()
    writeWithout(3, 5)
    stepped.loses = ({ from }) => from === stepped.nodes[0]!.id
    stepped.runtime.advance(10_000)
    stepped.loses = () => false
    stepped.runtime.advance(30_000)
    expect(states("k3").size).toBe(1)
  })
})

it("a partition that does not differ costs two nodes at most 64 bytes", async () => {
  await start()
  writeWithout(3, 40)
  stepped.runtime.advance(30_000)
  let bytes = 0
  stepped.cluster.connect().subscribe("everwrite.test.v1.peer.>", ({ data }) => {
    bytes += data.length
  })
  const told: Array<ReadonlyArray<NodeSync>> = []
  const { antiEntropy } = stepped.nodes[0]!.core
  antiEntropy.sync({ bucket: "", timeoutMillis: 1_000 }, (synced) => told.push(synced))
  const before = bytes
  for (let i = 0; i < 50 && told.length === 0; i++) stepped.runtime.advance(1)
  expect(told).toMatchObject([[{ differences: 0 }, { differences: 0 }]])
  // Of 16 partitions with two other nodes each; frames have headers besides.
  expect((bytes - before) / 32).toBeLessThan(64)
})
