// Checks the view that NATS's own tools have of the nodes of a cluster.
import { connect } from "@nats-io/transport-node"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { startNatsCluster } from "../cluster/natsCluster.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

/** Every answer to one question, in the order of node names. */
const ask = (subject: string): ReadonlyArray<any> => {
  const client = stepped.cluster.connect()
  const answers: Array<any> = []
  const inbox = client.newInbox()
  client.subscribe(inbox, ({ data, noResponders }) => {
    if (!noResponders) answers.push(JSON.parse(new TextDecoder().decode(data)))
  })
  client.publish(subject, new Uint8Array(0), inbox)
  stepped.runtime.runReady()
  return answers.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

describe("a node", () => {
  it("answers with its identity, asked as a service, as one of its kind, and by its own id", () => {
    for (const level of ["", ".everwrite"]) {
      const pings = ask(`$SRV.PING${level}`)
      expect(pings.map(({ metadata }) => metadata.node)).toEqual(["n1", "n2", "n3"])
      for (const ping of pings) {
        expect(ping).toEqual({
          type: "io.nats.micro.v1.ping_response",
          name: "everwrite",
          id: expect.stringMatching(/^[A-Za-z0-9_-]+$/u),
          version: "0.0.0",
          metadata: {
            node: expect.any(String),
            cluster: "test",
            ring: stepped.nodes[0]!.core.view.ring.digest
          }
        })
      }
    }
    const [, second] = ask("$SRV.PING")
    expect(ask(`$SRV.PING.everwrite.${second.id}`)).toEqual([second])
    expect(ask("$SRV.PING.everwrite.absent")).toEqual([])
    expect(ask("$SRV.PING.other")).toEqual([])
  })

  it("answers with its subjects", () => {
    const [info] = ask("$SRV.INFO.everwrite")
    expect(info).toMatchObject({
      type: "io.nats.micro.v1.info_response",
      description: expect.any(String),
      endpoints: [
        { name: "read", subject: "everwrite.test.v1.read.>", queue_group: "q", metadata: {} },
        { name: "write", subject: "everwrite.test.v1.write.>", queue_group: "q", metadata: {} }
      ]
    })
    expect(ask(`$SRV.INFO.everwrite.${info.id}`)).toEqual([info])
    expect(ask("$SRV.INFO")).toHaveLength(3)
  })

  it("answers with the counts, times and last error of its requests", () => {
    const client = stepped.cluster.connect()
    const send = (subject: string, body: unknown) => {
      const data = new TextEncoder().encode(JSON.stringify(body))
      client.publish(`everwrite.test.v1.node.n1.${subject}`, data, "nowhere")
      stepped.runtime.runReady()
    }
    send("write.notes.put", { key: "k", args: ["x"] })
    send("read.notes.get", [{ id: 1, key: "k" }, { id: 2, key: 7 }])
    stepped.cut(2, 3)
    send("write.notes.put", { key: "k", args: ["y"], timeoutMillis: 200 })
    stepped.runtime.advance(300)
    stepped.heal()
    const [stats] = ask("$SRV.STATS.everwrite")
    expect(stats).toMatchObject({
      type: "io.nats.micro.v1.stats_response",
      started: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ$/u),
      endpoints: [
        {
          name: "read",
          num_requests: 2,
          num_errors: 1,
          last_error: "InvalidKey"
        },
        {
          name: "write",
          num_requests: 2,
          num_errors: 1,
          last_error: "QuorumNotMet"
        }
      ]
    })
    const [, write] = stats.endpoints
    expect(write.processing_time).toBeGreaterThanOrEqual(200e6)
    expect(write.processing_time).toBeLessThan(300e6)
    expect(write.average_processing_time).toBe(write.processing_time / 2)
    expect(ask("$SRV.STATS")).toHaveLength(3)
    expect(ask(`$SRV.STATS.everwrite.${stats.id}`)).toHaveLength(1)
  })

  it("shows nobody the keys, values, buckets and operations of clients", () => {
    const client = stepped.cluster.connect()
    const secret = "geheim"
    const bodies: ReadonlyArray<readonly [string, unknown]> = [
      ["write.notes.put", { key: secret, args: [secret] }],
      ["write.notes.put", { key: { [secret]: secret }, args: [1] }],
      ["write.notes.put", { key: "k", args: [{ [secret]: secret }] }],
      ["write.notes.put", { key: "k", calls: [{ name: secret, args: [] }] }],
      ["write.notes.put", { key: "k", args: ["x"], context: secret }],
      ["write.notes.put", secret],
      [`write.notes.${secret}`, { key: "k" }],
      [`write.${secret}.put`, { key: "k", args: ["x"] }],
      ["read.notes.get", { key: "k", r: secret }],
      ["read.notes.get", { key: "k", [secret]: secret }],
      ["read.notes.list", { limit: secret, after: secret }],
      ["read.notes.explain", { key: { [secret]: 1 } }],
      [`read.${secret}.get`, { key: "k" }],
      [`cluster.${secret}`, {}]
    ]
    for (const [subject, body] of bodies) {
      const data = new TextEncoder().encode(JSON.stringify(body))
      client.publish(`everwrite.test.v1.${subject}`, data, "nowhere")
      stepped.runtime.runReady()
      for (const verb of ["PING", "INFO", "STATS"]) {
        expect(JSON.stringify(ask(`$SRV.${verb}.everwrite`))).not.toContain(secret)
      }
    }
    const shared = ask("$SRV.STATS.everwrite").flatMap(({ endpoints }) => endpoints)
    expect(shared.some(({ num_errors }) => num_errors > 0)).toBe(true)
  })

  it("is another instance after a restart, and none while it stops", async () => {
    const [first] = ask("$SRV.PING")
    stepped.cluster.crash(stepped.nodes[0]!.id)
    await stepped.restart(1)
    const [again] = ask("$SRV.PING")
    expect(again.metadata.node).toBe("n1")
    expect(again.id).not.toBe(first.id)
    stepped.nodes[0]!.core.drain()
    expect(ask("$SRV.PING").map(({ metadata }) => metadata.node)).toEqual(["n2", "n3"])
    stepped.nodes[1]!.core.close()
    expect(ask("$SRV.PING").map(({ metadata }) => metadata.node)).toEqual(["n3"])
  })
})

describe("over NATS", () => {
  it("the official client finds every node", async () => {
    const broker = await startBroker()
    const cluster = await startNatsCluster({
      servers: broker.url,
      buckets: [notes],
      storage: "direct"
    })
    const client = await connect({ servers: broker.url })
    try {
      const replies = await client.requestMany("$SRV.INFO.everwrite", "", {
        strategy: "count",
        maxMessages: 3,
        maxWait: 10_000
      })
      const nodes: Array<unknown> = []
      for await (const reply of replies) {
        const info: any = reply.json()
        expect(info.endpoints).toHaveLength(2)
        nodes.push(info.metadata.node)
      }
      expect(nodes.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual(["n1", "n2", "n3"])
    } finally {
      await client.close()
      await cluster.stop()
      await broker.close()
    }
  })
})
