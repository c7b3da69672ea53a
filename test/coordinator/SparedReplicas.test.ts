// Checks that a read asks as many replicas as it needs, and the others as soon as it needs them.
import { afterEach, describe, expect, it } from "vitest"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import type { NodeLimits } from "../../src/core/model/Limits.ts"
import { buckets, profiles } from "../cluster/buckets.ts"
import { type Asked, idle, SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
/** How often n1 sent something to n2 and to n3. */
let sent: [number, number]
const start = async (limits: Partial<NodeLimits> = {}): Promise<void> => {
  const given = { ...idle, readAllPercent: 0, ...limits }
  stepped = await SteppedCluster.start({ nodes: 3, buckets, limits: given })
  reach()
  sent = [0, 0]
}
afterEach(() => stepped.stop())

/** All frames arrive but those of or to the nodes named. */
const reach = (...lost: ReadonlyArray<string>): void => {
  stepped.loses = ({ from, to }) => {
    if (from === "n1") sent[to === "n2" ? 0 : 1]++
    return lost.includes(from) || lost.includes(to)
  }
}

const put = (name: string) => ({ key: "k", op: "put", args: [{ name }] })
const digests = () => stepped.held(profiles, "k").map((held) => DocumentCodec.encode(held!).digest)

/** A write that n3 misses, and after which all are reached again. */
const writeWithout3 = (name: string): void => {
  reach("n3")
  stepped.write(1, profiles, { ...put(name), w: 2 })
  stepped.runtime.advance(2_500)
  reach()
  // A question of its own shows that it is up again.
  stepped.read(3, profiles, { key: "another", r: "all" })
  sent = [0, 0]
}

const answeredAfter = (asked: Asked): number => {
  for (let millis = 0; millis < 3_000; millis++) {
    if (!asked.isOpen) return millis
    stepped.runtime.advance(1)
  }
  throw new Error("never answered")
}

describe("a read", () => {
  it("asks one other replica where two answers are enough, and each of them in turn", async () => {
    await start()
    stepped.write(1, profiles, { ...put("Ada"), w: "all" })
    sent = [0, 0]
    for (let i = 0; i < 100; i++) {
      expect(stepped.read(1, profiles, { key: "k" }).answer.replied).toBe(2)
    }
    expect(sent[0] + sent[1]).toBe(100)
    expect(Math.min(...sent)).toBeGreaterThan(30)
  })

  it("asks no other replica where one answer is enough, and all where all are needed", async () => {
    await start()
    stepped.read(1, profiles, { key: "k", r: 1 })
    expect(sent).toEqual([0, 0])
    stepped.read(1, profiles, { key: "k", r: "all" })
    expect(sent).toEqual([1, 1])
  })

  it("is refused by a node that stops before it has asked all replicas", async () => {
    await start()
    reach("n2", "n3")
    const asked = stepped.read(1, profiles, { key: "k" })
    stepped.nodes[0]!.core.coordinator.close()
    expect(sent[0] + sent[1]).toBe(1)
    expect(asked.error).toMatchObject({ _tag: "NodeUnavailable", reason: "it is stopping" })
  })

  it("asks as many primaries as it needs that are complete", async () => {
    await start()
    expect(stepped.read(1, profiles, { key: "k", r: 1, pr: 2 }).isOpen).toBe(false)
    expect(sent[0] + sent[1]).toBe(1)
  })

  it.each([[0, 0, 5], [50, 20, 80], [100, 100, 100]])(
    "of a share of %i in 100 asks every replica",
    async (readAllPercent, least, most) => {
      await start({ readAllPercent })
      for (let i = 0; i < 100; i++) stepped.read(1, profiles, { key: "k" })
      const more = sent[0] + sent[1] - 100
      expect(more).toBeGreaterThanOrEqual(least)
      expect(more).toBeLessThanOrEqual(most)
    }
  )

  it("asks the third replica where two differ, and repairs all that are behind", async () => {
    await start()
    stepped.write(1, profiles, { ...put("Ada"), w: "all" })
    writeWithout3("Grace")
    // Until one asks n3; the others need not know of it.
    for (let i = 0; new Set(digests()).size > 1; i++) {
      expect(i).toBeLessThan(20)
      expect(stepped.read(1, profiles, { key: "k" }).answer.values).toEqual([{ name: "Grace" }])
    }
    expect(stepped.counts(1).readsWidened).toBe(1)
    // One that is behind itself asks both as soon as it hears of it.
    reach("n2")
    stepped.write(1, profiles, { ...put("Joan"), w: 2 })
    stepped.runtime.advance(2_500)
    reach("n1")
    stepped.write(3, profiles, { ...put("Mary"), w: 2 })
    stepped.runtime.advance(2_500)
    reach()
    expect(stepped.read(1, profiles, { key: "k" }).answer.values).toEqual([{ name: "Mary" }])
    expect(new Set(digests()).size).toBe(1)
  })

  it("asks the others where a replica is damaged, and repairs it", async () => {
    await start()
    stepped.write(1, profiles, { ...put("Ada"), w: "all" })
    stepped.damage(1)
    expect(stepped.read(1, profiles, { key: "k" }).answer.values).toEqual([{ name: "Ada" }])
    expect(new Set(digests()).size).toBe(1)
    expect(stepped.counts(1).readsWidened).toBe(1)
  })

  it("asks the others where its own replica has less than its session has seen", async () => {
    await start()
    reach("n1")
    const { context } = stepped.write(2, profiles, { ...put("Ada"), w: 2 }).answer
    stepped.runtime.advance(2_500)
    reach()
    const asked = stepped.read(1, profiles, { key: "k", r: 1, after: [context] })
    expect(asked.answer.values).toEqual([{ name: "Ada" }])
    expect(new Set(digests()).size).toBe(1)
  })

  it("asks the others when it is late, long before it asks the same node again", async () => {
    await start()
    stepped.write(1, profiles, { ...put("Ada"), w: "all" })
    reach("n3")
    sent = [0, 0]
    const times = Array.from(
      { length: 30 },
      () => answeredAfter(stepped.read(1, profiles, { key: "k" }))
    )
    expect(Math.max(...times)).toBeGreaterThanOrEqual(20)
    // Answers of nodes that were asked later do not make the next reads wait for longer.
    expect(Math.max(...times)).toBeLessThanOrEqual(45)
    expect(stepped.counts(1).readsWidened).toBe(times.filter((millis) => millis > 0).length)
  })

  it("asks a suspect replica last", async () => {
    await start()
    reach("n3")
    stepped.read(1, profiles, { key: "k", r: "all" })
    stepped.runtime.advance(1_500)
    sent = [0, 0]
    for (let i = 0; i < 20; i++) {
      expect(stepped.read(1, profiles, { key: "k" }).isOpen).toBe(false)
    }
    expect(sent).toEqual([20, 0])
  })

  it("that is given a short time is late before it ends", async () => {
    await start()
    reach("n3")
    let late = 0
    for (let i = 0; i < 20; i++) {
      const asked = stepped.read(1, profiles, { key: "k", timeoutMillis: 100 })
      if (answeredAfter(asked) > 0) late++
      expect(asked.answer.values).toEqual([])
    }
    expect(late).toBeGreaterThan(0)
  })
})
