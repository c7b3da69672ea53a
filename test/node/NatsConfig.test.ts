// Checks the printed configuration of a nats-server against the server: nodes and clients do their
// work under it, and whatever goes beyond a user's right is refused by the broker.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { lanServer } from "../../src/core/model/EdgeLimits.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import { natsConfig, type NatsUser, passwordVariable } from "../../src/node/NatsConfig.ts"
import { inboxPrefixOf, type NatsRight } from "../../src/transport/NatsPermissions.ts"
import { connectNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import { buckets } from "../cluster/buckets.ts"
import { type NatsCluster, natsClusterName, startNatsCluster } from "../cluster/natsCluster.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"

const bucket = (name: string) => BucketName.make(name)
const node = (id: string): NatsUser => ({
  name: id,
  right: { _tag: "Node", node: NodeId.make(id) },
  password: `of ${id}`
})
const user = (name: string, right: NatsRight): NatsUser => ({ name, right, password: `of ${name}` })
const adding = { bucket: bucket("shelves"), operation: "books.add" }

const users: ReadonlyArray<NatsUser> = [
  ...["n1", "n2", "n3"].map(node),
  user("reader", { _tag: "Reader", buckets: [] }),
  user("note-reader", { _tag: "Reader", buckets: [bucket("notes")] }),
  user("writer", { _tag: "Writer", buckets: [] }),
  user("note-writer", { _tag: "Writer", buckets: [bucket("notes")] }),
  user("adder", { _tag: "Operations", operations: [adding] }),
  user("observer", { _tag: "Observer" })
]

/** The server of the tests has an address and a port of its own. */
const configOf = (changes: Partial<Parameters<typeof natsConfig>[0]> = {}): string =>
  natsConfig({ cluster: natsClusterName, host: "::1", port: 1, users, ...changes })
    .replaceAll(/^(?:host|port): .*$/gmu, "")

const options = (name: string) => ({
  user: name,
  password: `of ${name}`,
  inboxPrefix: inboxPrefixOf(name)
})

const tails = (kind: string) =>
  ["notes.put", "notes.edit", "profiles.put", "shelves.books.remove", "shelves.edit"]
    .flatMap((tail) => [`${kind}.${tail}`, `node.n1.${kind}.${tail}`])

const isOfNotes = (tail: string) => tail.includes(".notes.")

const flush = (transport: NatsTransport): Promise<boolean> =>
  new Promise((resolve) => transport.flush(resolve))

describeWithNats("a nats-server with the printed configuration", () => {
  let server: NatsServer
  let cluster: NatsCluster
  const nodeWarnings: Array<string> = []
  const transports = new Map<string, NatsTransport>()
  const warnings = new Map<string, Array<string>>()
  beforeAll(async () => {
    server = await startNatsServer(configOf())
    cluster = await startNatsCluster({
      servers: server.url,
      buckets,
      storage: "direct",
      connection: options,
      warn: (text) => void nodeWarnings.push(text)
    })
    for (const { name } of users) {
      const told: Array<string> = []
      warnings.set(name, told)
      const connection = { servers: server.url, ...options(name) }
      transports.set(name, await connectNats(connection, (text) => void told.push(text)))
    }
  })
  beforeEach(() => {
    for (const told of warnings.values()) told.length = 0
  })
  afterAll(async () => {
    for (const transport of transports.values()) await transport.close()
    await cluster.stop()
    await server.stop()
  })

  const as = (name: string): NatsTransport => transports.get(name)!

  /** Whether the broker refuses what was done, by its own word. */
  const isRefused = async (
    name: string,
    subject: string,
    act: (transport: NatsTransport) => void
  ): Promise<boolean> => {
    const told = warnings.get(name)!
    const before = told.length
    act(as(name))
    expect(await flush(as(name))).toBe(true)
    // The official client tells errors through an iterator, some microtasks later.
    await new Promise(setImmediate)
    return told.slice(before).some((text) =>
      /permissions violation/iu.test(text) && text.includes(`"${subject}"`)
    )
  }
  const cannotPublish = (name: string, tail: string): Promise<boolean> => {
    const subject = tail.startsWith("$") || tail.startsWith("_")
      ? tail
      : `everwrite.test.v1.${tail}`
    return isRefused(name, subject, (transport) => transport.publish(subject, new Uint8Array(1)))
  }
  const cannotSubscribe = (name: string, subject: string, queue?: string): Promise<boolean> =>
    isRefused(name, subject, (transport) => {
      const subscription = transport.subscribe(
        subject,
        () => undefined,
        queue === undefined ? {} : { queue }
      )
      transport.flush(() => subscription.close())
    })

  /** The first answer to a request. */
  const ask = async (name: string, tail: string, body: unknown): Promise<any> => {
    const transport = as(name)
    const inbox = transport.newInbox()
    let answer: any
    const subscription = transport.subscribe(`${inbox}.*`, ({ data, noResponders }) => {
      answer ??= noResponders ? "nobody" : JSON.parse(new TextDecoder().decode(data))
    })
    const data = new TextEncoder().encode(JSON.stringify(body))
    transport.publish(`everwrite.test.v1.${tail}`, data, `${inbox}.1`)
    await until("there is an answer", () => answer !== undefined)
    subscription.close()
    return answer
  }

  it("lets nodes and clients do their work", async () => {
    expect(await ask("writer", "write.notes.put", { key: "k", args: ["x"] }))
      .toMatchObject({ values: ["x"], replied: 2 })
    for (const n of ["n1", "n2", "n3"]) {
      expect(await ask("reader", `node.${n}.read.notes.get`, { key: "k" }))
        .toMatchObject({ values: ["x"] })
    }
    expect(await ask("note-reader", "read.notes.get", { key: "k" }))
      .toMatchObject({ values: ["x"] })
    expect(await ask("note-writer", "node.n2.write.notes.put", { key: "other", args: ["y"] }))
      .toMatchObject({ values: ["y"] })
    expect(await ask("adder", "write.shelves.books.add", { key: "s", args: ["Emma"] }))
      .toMatchObject({ values: [{ books: ["Emma"] }] })
    for (const { name } of users.slice(3)) {
      expect(await ask(name, "cluster.describe", {})).toMatchObject({ cluster: "test" })
    }
    for (const name of ["observer", "writer"]) {
      expect(await ask(name, "cluster.hints", {})).toMatchObject({ bytes: 0 })
    }
    const transport = as("observer")
    const inbox = transport.newInbox()
    const seen: Array<string> = []
    transport.subscribe(inbox, ({ data }) => {
      seen.push(JSON.parse(new TextDecoder().decode(data)).metadata.node)
    })
    transport.publish("$SRV.PING.everwrite", new Uint8Array(0), inbox)
    await until("all nodes are seen", () => seen.length === 3)
    expect(nodeWarnings).toEqual([])
  })

  it("refuses frames that a client forges, and those under another node's name", async () => {
    for (const { name } of users) {
      const forged = name === "n1" ? "n3" : "n1"
      expect(await cannotPublish(name, `peer.n2.from.${forged}`)).toBe(true)
      expect(await cannotPublish(name, `gossip.from.${forged}`)).toBe(true)
    }
    expect(await cannotPublish("n1", "peer.n2.from.n1")).toBe(false)
    expect(await cannotPublish("n1", "gossip.from.n1")).toBe(false)
  })

  it("refuses nodes the requests of clients, and of other nodes", async () => {
    for (const tail of ["read.notes.get", "write.notes.put", "node.n2.write.notes.put"]) {
      expect(await cannotPublish("n1", tail)).toBe(true)
    }
    for (const subject of ["everwrite.test.v1.node.n2.>", "everwrite.test.v1.peer.n2.from.*"]) {
      expect(await cannotSubscribe("n1", subject)).toBe(true)
    }
    for (const kind of ["read", "write"]) {
      expect(await cannotSubscribe("n1", `everwrite.test.v1.${kind}.>`)).toBe(true)
      expect(await cannotSubscribe("n1", `everwrite.test.v1.${kind}.>`, "spy")).toBe(true)
      expect(await cannotSubscribe("n1", `everwrite.test.v1.${kind}.>`, "q")).toBe(false)
    }
  })

  it("refuses each user all that its right does not name", async () => {
    for (const tail of tails("write")) {
      for (const name of ["reader", "note-reader", "adder", "observer"]) {
        expect([name, tail, await cannotPublish(name, tail)]).toEqual([name, tail, true])
      }
      expect([tail, await cannotPublish("note-writer", tail)]).toEqual([tail, !isOfNotes(tail)])
    }
    for (const tail of tails("read")) {
      for (const name of ["note-reader", "note-writer"]) {
        expect([name, tail, await cannotPublish(name, tail)]).toEqual([
          name,
          tail,
          !isOfNotes(tail)
        ])
      }
      for (const name of ["adder", "observer"]) {
        expect([name, tail, await cannotPublish(name, tail)]).toEqual([name, tail, true])
      }
    }
    for (const { name } of users.slice(3)) {
      for (const tail of ["cluster.other", "_INBOX.writer.x", "$JS.API.INFO", "$SYS.REQ.PING"]) {
        expect([name, tail, await cannotPublish(name, tail)]).toEqual([name, tail, true])
      }
    }
  })

  it("and the nodes refuse an add-only user a remove, in a batch and in an edit too", async () => {
    await ask("adder", "write.shelves.books.add", { key: "kept", args: ["Emma"] })
    const remove = { name: "books.remove", args: ["Emma"] }
    const add = { name: "books.add", args: ["Persuasion"] }
    const bodies: ReadonlyArray<unknown> = [
      { key: "kept", calls: [remove] },
      { key: "kept", calls: [add, remove] },
      [{ id: 1, key: "kept", calls: [remove] }],
      [{ id: 1, key: "other", calls: [add] }, { id: 2, key: "kept", calls: [remove] }],
      { key: "kept", calls: [{ name: "edit", args: [[remove]] }] },
      { key: "kept", name: "books.remove", args: ["Emma"], calls: [remove] }
    ]
    for (const body of bodies) {
      for (const tail of ["write.shelves.books.add", "node.n1.write.shelves.books.add"]) {
        await ask("adder", tail, body)
      }
    }
    expect(await ask("reader", "read.shelves.get", { key: "kept" }))
      .toMatchObject({ values: [{ books: ["Emma"] }] })
    for (const tail of ["write.shelves.edit", "write.shelves.books.remove"]) {
      expect(await cannotPublish("adder", tail)).toBe(true)
    }
  })

  it("refuses to let a user listen to answers of others, and to requests", async () => {
    const patterns = [
      ">",
      "*.>",
      "_INBOX.>",
      "_INBOX.*",
      "_INBOX.writer.>",
      "everwrite.>",
      "$SRV.>"
    ]
    for (const { name } of users) {
      for (const pattern of patterns.filter((each) => !each.includes(name))) {
        const refused = await cannotSubscribe(name, pattern)
        const own = name === "writer" && pattern === "_INBOX.writer.>"
        expect([name, pattern, refused]).toEqual([name, pattern, !own])
      }
    }
  })

  it("lets in no one without one of its users", async () => {
    for (
      const wrong of [{}, { user: "n1", password: "wrong" }, { user: "n4", password: "of n4" }]
    ) {
      await expect(connectNats({ servers: server.url, ...wrong }, () => undefined))
        .rejects.toThrow(/authorization violation/iu)
    }
  })

  it("takes a message of its max_payload, as a client reads it", () => {
    expect(as("writer").maxPayload()).toBe(lanServer.maxPayload)
  })
})

describe("the printed configuration", () => {
  it("cuts off who leaves 8 MB untaken, or takes nothing for 2 s", () => {
    const lines = configOf().split("\n")
    expect(lines).toContain(`max_pending: ${8 * 2 ** 20}`)
    expect(lines).toContain("write_deadline: \"2000ms\"")
  })

  it("names variables of the environment where no password is drawn", () => {
    const text = configOf({ users: users.map((each) => ({ ...each, password: undefined })) })
    for (const { name } of users) expect(text).toContain(`password: $${passwordVariable(name)}\n`)
    expect(text).not.toContain("of n1")
  })
})
