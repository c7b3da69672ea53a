// Checks what a client does with a node that hangs or has a slow spell: it asks others, leaves no
// write in doubt that could go elsewhere, and comes back to it, or learns that it is dead.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { describe as describeCluster } from "../../schemas/DescribeCluster.ts"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { NodeSelector } from "../../src/client/NodeSelector.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { BucketName, type NodeId } from "../../src/core/model/Names.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import { buckets, notes, shelves } from "../cluster/buckets.ts"
import { clusterName } from "../cluster/memoryCluster.ts"
import { Asked, SteppedCluster } from "../cluster/steppedCluster.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

interface Sent {
  readonly subject: string
  readonly body: string
}

let stepped: SteppedCluster
let backend: NatsBackend
let sent: Array<Sent>
/** Whether a message of the client comes to nothing, as at a node that hangs. */
let isLost: (subject: string) => boolean
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 5, buckets })
  const transport = stepped.cluster.connect()
  isLost = () => false
  sent = []
  const wired: typeof transport = {
    ...transport,
    publish: (subject, data, reply) => {
      sent.push({ subject: subject.replace("everwrite.test.v1.", ""), body: String(data) })
      if (!isLost(subject)) transport.publish(subject, data, reply)
    }
  }
  backend = new NatsBackend({ runtime: stepped.runtime, transport: wired, cluster: clusterName })
})
afterEach(() => {
  backend.close()
  stepped.stop()
})

const connected = () => {
  const outcomes: Array<string> = []
  backend.ready(() => outcomes.push("ready"), (error) => outcomes.push(error._tag), () => undefined)
  stepped.runtime.runReady()
  return outcomes
}

const ask = (action: "read" | "write", bucket: Any, body: RequestBody): Asked => {
  const asked = new Asked()
  const request = { action, bucket: BucketName.make(bucket.name), body }
  backend.request(request, (outcome) => asked.outcomes.push(outcome))
  stepped.runtime.runReady()
  return asked
}
const read = () => ask("read", notes, { key: "k" })
const visit = () => ask("write", shelves, { key: "k", calls: [{ name: "visits.add", args: [1] }] })

const hang = (node: number) => {
  isLost = (subject) => subject.includes(`.node.n${node}.`)
}

const subjects = () => sent.map(({ subject }) => subject)

describe("a question to any node", () => {
  it("is asked again where the node that got it hangs", () => {
    let lost = 0
    isLost = () => lost++ < 3
    const outcomes = connected()
    stepped.runtime.advance(3 * lan.client.askAgainMillis)
    expect(outcomes).toEqual(["ready"])
  })

  it("ends without an answer where all hang", () => {
    isLost = () => true
    const outcomes = connected()
    stepped.runtime.advance(lan.client.askTimeoutMillis)
    expect(outcomes).toEqual(["NoAnswer"])
    const asked = sent.length
    stepped.runtime.advance(10_000)
    expect(sent).toHaveLength(asked)
  })

  it("for keys goes to another node where one hangs, and then to that one first", () => {
    connected()
    sent.length = 0
    const pages: Array<unknown> = []
    const list = () => {
      backend.list({ bucket: BucketName.make("notes") }, (page) => pages.push(page))
      stepped.runtime.runReady()
    }
    isLost = (subject) => !subject.includes("peer") && lostTo.has(subject)
    const lostTo = new Set<string>()
    list()
    const [first] = subjects()
    expect(first).toMatch(/^node\.n\d\.read\.notes\.list$/u)
    lostTo.add(`everwrite.test.v1.${first}`)
    list()
    stepped.runtime.advance(lan.client.listAgainMillis)
    list()
    expect(pages).toMatchObject([{ keys: [] }, { keys: [] }, { keys: [] }])
    expect(subjects().filter((subject) => subject === first)).toHaveLength(2)
  })
})

describe("a write to a node that has said nothing for a while", () => {
  it("goes to another node after one pause, and is in no doubt", () => {
    connected()
    expect(visit().answer.values).toMatchObject([{ visits: 1 }])
    stepped.runtime.advance(lan.client.markFreshMillis + 1)
    const [first, second] = stepped.nodesOf(shelves, "k").primaries
    hang(first!)
    sent.length = 0
    const asked = visit()
    stepped.runtime.advance(lan.client.firstPauseMillis + 100)
    expect(asked.answer.values).toMatchObject([{ visits: 2 }])
    expect(subjects()).toEqual([
      `node.n${first}.write.shelves.visits.add`,
      `node.n${second}.write.shelves.visits.add`,
      `node.n${second}.write.shelves.visits.add`
    ])
    expect(sent[0]!.body).toContain("\"mark\":\"\"")
    expect(sent[2]!.body).not.toContain("tried")
  })

  it("goes there under its mark at once where it has just answered", () => {
    connected()
    visit()
    sent.length = 0
    stepped.runtime.advance(lan.client.markFreshMillis - 1)
    expect(visit().answer.values).toMatchObject([{ visits: 2 }])
    expect(sent).toHaveLength(1)
  })
})

describe("a node that hangs", () => {
  it("keeps one request waiting, is tried beside others, and gets them again in the end", () => {
    connected()
    const [first] = stepped.nodesOf(notes, "k").primaries
    hang(first!)
    const slow = read()
    expect(slow.isOpen).toBe(true)
    stepped.runtime.advance(lan.client.firstPauseMillis + 100)
    expect(slow.answer.values).toEqual([])
    sent.length = 0
    for (let second = 0; second < 30; second++) {
      expect(read().answer.values).toEqual([])
      stepped.runtime.advance(lan.client.restMillis)
    }
    const toFirst = subjects().filter((subject) => subject.startsWith(`node.n${first}.`))
    expect(toFirst.length).toBeGreaterThanOrEqual(28)
    expect(toFirst.length).toBeLessThanOrEqual(30)
    isLost = () => false
    // The copy that is sent beside this one is answered.
    read()
    sent.length = 0
    expect(read().answer.values).toEqual([])
    expect(subjects()).toEqual([`node.n${first}.read.notes.get`])
  })

  it("is tried with a write that changes nothing, and may be under the same rights", () => {
    connected()
    visit()
    const [first] = stepped.nodesOf(shelves, "k").primaries
    stepped.runtime.advance(lan.client.markFreshMillis + 1)
    hang(first!)
    visit()
    stepped.runtime.advance(lan.client.firstPauseMillis + 100)
    stepped.runtime.advance(lan.client.restMillis)
    isLost = () => false
    sent.length = 0
    const asked = visit()
    const probe = sent.find(({ subject }) => subject.startsWith(`node.n${first}.`))
    expect(probe?.subject).toBe(`node.n${first}.write.shelves.visits.add`)
    expect(probe?.body).toContain("\"mark\":\"\"")
    expect(asked.answer.values).toMatchObject([{ visits: 3 }])
    stepped.runtime.advance(1_000)
    expect(visit().answer.values).toMatchObject([{ visits: 4 }])
  })
})

describe("a node that hangs, and dies", () => {
  it("is waited for by no request any more, as soon as the broker says so of one message", () => {
    connected()
    visit()
    const [first] = stepped.nodesOf(shelves, "k").primaries
    const isFirst = ({ subject }: Sent) => subject.startsWith(`node.n${first}.`)
    hang(first!)
    const asked = visit()
    // It is sent twice to the node that hangs: the next time it goes to another one.
    stepped.runtime.advance(lan.client.resendMinMillis + 50)
    stepped.cut(first!)
    isLost = () => false
    sent.length = 0
    stepped.runtime.advance(lan.client.restMillis + 2 * lan.client.resendMinMillis)
    expect(sent.filter(isFirst)).toEqual([])
    // A node that is passed over is tried beside the next request.
    visit()
    stepped.runtime.advance(lan.node.suspectMillis)
    expect(sent.filter(isFirst)).toHaveLength(1)
    expect(asked.error).toMatchObject({
      _tag: "OperationUnknown",
      nodes: [{ node: `n${first}`, reason: "it does not answer" }]
    })
  })
})

describe("a node that was slow for a while", () => {
  const runtime = new SteppedRuntime()
  const probed: Array<NodeId> = []
  const selector = new NodeSelector(runtime, lan.client, (_, node) => probed.push(node))
  const request = { action: "read" as const, bucket: BucketName.make("notes"), body: { key: "k" } }
  const none: ReadonlySet<string> = new Set()

  it("gets requests again within seconds of being fast again, though others are as fast", () => {
    const { cluster: _cluster, ...core } = stepped.nodes[0]!.core.options
    selector.learn(describeCluster({
      cluster: "test",
      node: core.node,
      ring: core.ring.ring,
      buckets: Buckets.make(buckets).values()
    }))
    const first = selector.nodeFor(request, none)!
    for (let i = 0; i < 30; i++) selector.answered(first, 2_000)
    const other = selector.nodeFor(request, none)!
    expect(other).not.toBe(first)
    let requests = 0
    for (let node = other; node !== first; node = selector.nodeFor(request, none)!) {
      expect(++requests, "requests until it is asked again").toBeLessThan(200)
      runtime.advance(1)
      selector.answered(node, 1)
      for (const one of probed.splice(0)) selector.heard(one)
      runtime.advance(100)
    }
  })
})
