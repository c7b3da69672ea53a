// Checks when requests end, which are refused, and that a lost message is sent again.
import { afterEach, describe, expect, it } from "vitest"
import { ByteReader } from "../../src/core/codec/Bytes.ts"
import { NodeUnavailable } from "../../src/core/model/StoreError.ts"
import * as Frame from "../../src/transport/Frame.ts"
import { readMessage } from "../../src/transport/PeerMessageCodec.ts"
import { buckets, profiles, shelves } from "../cluster/buckets.ts"
import type { MemoryClusterOptions } from "../cluster/memoryCluster.ts"
import { type Asked, SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
const start = async (options: Partial<MemoryClusterOptions> = {}): Promise<SteppedCluster> => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, ...options })
  return stepped
}
afterEach(() => stepped.stop())

const ada = { key: "k", op: "put", args: [{ name: "Ada" }] }
const underWay = () => stepped.nodes.map(({ core }) => core.coordinator.underWay())

/** When a request was answered, to the millisecond. */
const answeredAfter = (asked: Asked): number => {
  for (let millis = 0; millis < 10_000; millis++) {
    if (!asked.isOpen) return millis
    stepped.runtime.advance(1)
  }
  throw new Error("never answered")
}

describe("a request", () => {
  it.each(
    [
      ["the node's time to read", "read", {}, 700],
      ["the node's time to write", "write", {}, 1_300],
      ["its own time", "read", { timeoutMillis: 250 }, 250],
      ["its own time", "write", { timeoutMillis: 4_000 }, 4_000]
    ] as const
  )("that cannot be met ends after %s", async (_, action, settings, expected) => {
    await start({ limits: { readTimeoutMillis: 700, writeTimeoutMillis: 1_300 } })
    stepped.cut(1)
    const asked = action === "read"
      ? stepped.read(1, profiles, { key: "k", ...settings })
      : stepped.write(1, profiles, { ...ada, ...settings })
    const millis = answeredAfter(asked)
    expect(millis).toBeGreaterThanOrEqual(expected)
    expect(millis).toBeLessThan(expected + 25)
    expect(underWay()).toEqual([0, 0, 0])
  })

  it("that is answered waits 2 s for unreachable replicas, with any deadline", async () => {
    await start({ limits: { readAllPercent: 100 } })
    stepped.cut(3)
    expect(stepped.write(1, profiles, { ...ada, timeoutMillis: 60_000 }).isOpen).toBe(false)
    expect(stepped.read(1, profiles, { key: "k", timeoutMillis: 60_000 }).isOpen).toBe(false)
    stepped.runtime.advance(1_000)
    expect(underWay()).toEqual([2, 0, 0])
    stepped.runtime.advance(1_100)
    expect(underWay()).toEqual([0, 0, 0])
  })

  it("leaves nothing behind once every replica has answered", async () => {
    await start()
    for (const nodeNumber of [1, 2, 3]) {
      stepped.write(nodeNumber, profiles, ada)
      stepped.read(nodeNumber, profiles, { key: "k" })
    }
    expect(underWay()).toEqual([0, 0, 0])
  })

  it("is answered although each frame is lost the first time", async () => {
    await start()
    const lost = new Map<string, number>()
    stepped.loses = ({ from, to }) => {
      const count = lost.get(from + to) ?? 0
      lost.set(from + to, count + 1)
      return count === 0
    }
    const asked = [stepped.write(1, profiles, ada), stepped.read(2, profiles, { key: "other" })]
    expect(asked.map(({ isOpen }) => isOpen)).toEqual([true, true])
    stepped.runtime.advance(1_000)
    for (const { answer } of asked) expect(answer.replied).toBeGreaterThanOrEqual(2)
    stepped.runtime.advance(1_000)
    expect(stepped.counts(1).resends).toBeGreaterThan(0)
    expect(underWay()).toEqual([0, 0, 0])
  })

  it("is carried out once although its frames come twice", async () => {
    await start()
    for (const { core: { options: { transport } } } of stepped.nodes) {
      const { publish } = transport
      Object.assign(transport, {
        publish: (...args: Parameters<typeof publish>) => {
          publish(...args)
          publish(...args)
        }
      })
    }
    stepped.write(1, shelves, { key: "k", op: "visits.add", args: [2], w: "all" })
    stepped.write(2, shelves, { key: "k", op: "visits.add", args: [3], w: "all" })
    expect(stepped.read(3, shelves, { key: "k", r: "all" }).answer.values)
      .toMatchObject([{ visits: 5 }])
    for (const { core } of stepped.nodes) {
      expect(core.link.stats().refused.repeated).toBeGreaterThan(0)
    }
  })
})

describe("a node", () => {
  it("refuses requests beyond its limit, and takes others once those are answered", async () => {
    await start({ limits: { requestsMax: 2 } })
    stepped.cut(1)
    const open = [stepped.write(1, profiles, ada), stepped.read(1, profiles, { key: "k" })]
    const { error } = stepped.read(1, profiles, { key: "k", r: 1 })
    expect(error).toBeInstanceOf(NodeUnavailable)
    expect(error).toMatchObject({ node: "n1", reason: "2 requests are under way" })
    stepped.runtime.advance(1_000)
    expect(open.map(({ error }) => error._tag)).toEqual(["QuorumNotMet", "QuorumNotMet"])
    expect(stepped.read(1, profiles, { key: "k", r: 1 }).isOpen).toBe(false)
  })

  it("takes as many as before while another one is unreachable", async () => {
    await start({ limits: { requestsMax: 2, readAllPercent: 100 } })
    stepped.cut(3)
    for (let i = 0; i < 10; i++) {
      expect(stepped.write(1, profiles, { ...ada, key: `k${i}` }).answer.replied).toBe(2)
      expect(stepped.read(1, profiles, { key: `k${i}` }).answer.values).toHaveLength(1)
    }
  })

  it("waits for unreachable replicas only while there is room for their writes", async () => {
    await start({ limits: { lateReplyBytesMax: 1_000, readAllPercent: 100 } })
    stepped.cut(3)
    for (let i = 0; i < 20; i++) {
      const name = "Ada".padEnd(200, "a")
      const put = { ...ada, key: `k${i}`, args: [{ name }] }
      expect(stepped.write(1, profiles, put).answer.replied).toBe(2)
    }
    expect(stepped.nodes[0]!.core.coordinator.lateBytes()).toBeLessThanOrEqual(1_000)
    const [waiting] = underWay()
    expect(waiting).toBeGreaterThan(0)
    expect(waiting).toBeLessThan(5)
    for (let i = 0; i < 20; i++) {
      expect(stepped.read(2, profiles, { key: `k${i}` }).answer.values).toHaveLength(1)
    }
    stepped.runtime.advance(2_100)
    expect(underWay()).toEqual([0, 0, 0])
    expect(stepped.nodes.map(({ core }) => core.coordinator.lateBytes())).toEqual([0, 0, 0])
  })

  it("that drains refuses requests, ends those under way, and serves its peers", async () => {
    await start()
    stepped.cut(1)
    const asked = stepped.write(1, profiles, ada)
    stepped.nodes[0]!.core.drain()
    stepped.nodes[1]!.core.drain()
    expect(stepped.write(2, profiles, ada).error).toMatchObject({
      _tag: "NodeUnavailable",
      node: "n2",
      reason: "it is stopping"
    })
    expect(stepped.read(2, profiles, { key: "k" }).error).toBeInstanceOf(NodeUnavailable)
    stepped.heal()
    stepped.runtime.advance(600)
    expect(asked.answer.values).toEqual([{ name: "Ada" }])
    expect(stepped.write(3, profiles, { ...ada, w: "all" }).answer.replied).toBe(3)
  })

  it("that closes answers each open request, and none twice", async () => {
    await start()
    stepped.cut(1)
    const asked = [stepped.write(1, profiles, ada), stepped.read(1, profiles, { key: "k" })]
    stepped.nodes[0]!.core.close()
    stepped.heal()
    stepped.runtime.advance(5_000)
    expect(asked.map(({ error }) => error._tag)).toEqual(["QuorumNotMet", "NodeUnavailable"])
  })

  it("numbers requests anew in each incarnation, lest an answer be taken for another", async () => {
    await start({ limits: { readAllPercent: 100 } })
    const numbers: Array<number> = []
    stepped.cluster.connect().subscribe("everwrite.test.v1.peer.n2.from.n1", ({ data }) => {
      const { body } = Frame.decode(data)
      const reader = new ByteReader(body._tag === "Whole" ? body.messages : new Uint8Array(0))
      while (reader.remaining > 0) {
        const { message } = readMessage(reader)
        if (message._tag === "Store" || message._tag === "Fetch") numbers.push(message.request)
      }
    })
    for (let incarnation = 0; incarnation < 3; incarnation++) {
      stepped.write(1, profiles, ada)
      stepped.read(1, profiles, { key: "k" })
      stepped.cluster.crash(stepped.nodes[0]!.id)
      await stepped.restart(1)
    }
    expect(numbers.length).toBeGreaterThanOrEqual(6)
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})
