// Checks that one message of a client, however much it asks for, is refused or cut into turns. It
// counts work, since times say more about the machine.
import { countWork } from "../tooling/countWork.ts"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

/** 20 ms, at the 10 ns that a block takes here where nothing is counted. */
const blocksMax = 2_000_000

const limits = {
  messageRequestsMax: 2_000,
  messageListingsMax: 4,
  callsMax: 50,
  contextsMax: 10,
  turnStepsMax: 100,
  cacheBytesMax: 2 ** 26
}

const tags = Bucket.crdt("tags", { n: 1, key: Key.text, type: Crdt.set(Schema.Int) })
const notes = Bucket.lww("notes", { n: 1, key: Key.text, value: Schema.Json })

let stepped: SteppedCluster
let client: TransportService
/** In the order in which they came. */
let answers: Array<any>
const begin = async (more = {}): Promise<void> => {
  stepped = await SteppedCluster.start({
    nodes: 1,
    buckets: [notes, tags],
    partitionCount: 256,
    limits: { ...limits, ...more }
  })
  client = stepped.cluster.connect()
  answers = []
  client.subscribe("inbox", ({ data }) => {
    answers.push(...[JSON.parse(new TextDecoder().decode(data))].flat())
  })
  stepped.runtime.runReady()
}
beforeEach(() => begin())
afterEach(() => stepped.stop())

const send = (subject: string, body: unknown): void => {
  const text = typeof body === "string" ? body : JSON.stringify(body)
  client.publish(`everwrite.test.v1.${subject}`, new TextEncoder().encode(text), "inbox")
}

/** Ends turns until nothing waits for one; returns how many there were, and the longest. */
const runTurns = (): { readonly turns: number; readonly blocks: number } => {
  let [turns, blocks] = [0, 0]
  const ended = { tasks: 1 }
  while (ended.tasks > 0) {
    const work = countWork(() => {
      ended.tasks = stepped.runtime.endTurn()
    })
    blocks = Math.max(blocks, work.blocks)
    turns++
  }
  return { turns, blocks }
}

const times = <A>(count: number, make: (i: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, i) => make(i))

const put = (id: number) => ({ id, key: `k${id}`, args: ["v"] })

describe("a message that asks for too much is refused, and names limit and value", () => {
  it.each<[string, string, unknown, string, string]>([
    ["puts", "write.notes.put", times(2_001, put), "2001", "at most 2000"],
    ["gets", "read.notes.get", times(10_000, (id) => ({ id, key: "k" })), "10000", "at most 2000"],
    ["listings", "read.notes.list", times(5, (id) => ({ id })), "5", "at most 4"],
    ["zeros", "read.notes.get", `[${"0,".repeat(499_000)}0]`, "499001", "at most 2000"],
    ["zeros to list", "read.notes.list", `[${"0,".repeat(499_000)}0]`, "499001", "at most 4"],
    [
      "operations",
      "write.notes.edit",
      { key: "k", calls: times(51, () => ({ name: "put", args: ["v"] })) },
      "51",
      "at most 50"
    ],
    ["contexts", "read.notes.get", { key: "k", after: times(11, () => "") }, "11", "at most 10"]
  ])("with too many %s", (_, subject, body, value, expected) => {
    send(subject, body)
    const { blocks } = runTurns()
    expect(answers).toMatchObject([{ error: { _tag: "InvalidRequest", value, expected } }])
    expect(blocks).toBeLessThan(blocksMax)
  })
})

describe("a message for which there is no room while others wait", () => {
  it("is refused request by request, and says nothing of an earlier sending", async () => {
    stepped.stop()
    await begin({ workBytesMax: 10 })
    send("write.notes.put", times(150, put))
    send("write.notes.put", times(150, (i) => put(1_000 + i)))
    stepped.runtime.advance(1_000)
    const refused = answers.filter(({ error }) => error !== undefined)
    expect(refused).toHaveLength(150)
    for (const { error, id } of refused) {
      expect(error._tag).toBe("Overloaded")
      expect(id).toBeGreaterThanOrEqual(1_000)
    }
  })
})

describe("a message of many requests", () => {
  it("takes many turns, and no long one", () => {
    send("write.notes.put", times(2_000, put))
    const writing = runTurns()
    expect(answers).toHaveLength(2_000)
    expect(answers.filter(({ values }) => values?.length === 1)).toHaveLength(2_000)
    send("read.notes.get", times(2_000, put))
    const reading = runTurns()
    send("read.notes.explain", times(2_000, put))
    const explaining = runTurns()
    send("read.notes.list", times(4, (id) => ({ id, limit: 1_000 })))
    const listing = runTurns()
    expect(answers).toHaveLength(6_004)
    expect(answers.slice(6_000).map(({ page }) => page.keys.length)).toEqual(times(4, () => 1_000))
    for (const { blocks, turns } of [writing, reading, explaining, listing]) {
      expect(blocks).toBeLessThan(blocksMax)
      expect(turns).toBeGreaterThan(5)
    }
  }, 60_000)

  it("lets a later message of one request pass", () => {
    send("write.notes.put", times(2_000, put))
    stepped.runtime.endTurn()
    send("read.notes.get", { id: -1, key: "k0" })
    stepped.runtime.runReady()
    expect(answers.findIndex(({ id }) => id === -1)).toBeLessThan(1_000)
    expect(answers).toHaveLength(2_001)
  })
})

describe("a listing", () => {
  it("reads the headers of documents alone, and keeps none of them", async () => {
    const args = times(1_000, (i) => [i])
    for (let key = 0; key < 5; key++) {
      for (let from = 0; from < args.length; from += 50) {
        const calls = args.slice(from, from + 50).map((each) => ({ name: "add", args: each }))
        send("write.tags.edit", { key: `k${key}`, calls })
      }
    }
    stepped.runtime.runReady()
    // Nothing of them is in memory.
    stepped.cluster.crash(stepped.nodes[0]!.id)
    await stepped.restart(1)
    answers.length = 0
    stepped.runtime.runReady()
    send("read.tags.list", { limit: 1_000 })
    const work = countWork(() => stepped.runtime.runReady())
    expect(answers).toMatchObject([{ page: { keys: { length: 5 } } }])
    // Each of the 5,000 elements would take many.
    expect(work.blocks).toBeLessThan(50_000)
    stepped.damage(1)
    expect(stepped.held(tags, "k0")).toEqual([undefined])
  }, 60_000)
})
