// Checks that a node knows which rights its user lacks at the broker, says so, and works as soon as
// it has them.
import { afterEach, expect, it } from "vitest"
import { lanWatch } from "../../src/core/model/WatchLimits.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import { BrokerRights } from "../../src/node/BrokerRights.ts"
import { liveRuntime } from "../../src/node/LiveRuntime.ts"
import { Subjects } from "../../src/transport/Subjects.ts"
import { connectNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import { inboxPrefixOf, permissionsOf } from "../../src/transport/NatsPermissions.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"

const cluster = ClusterName.make("rights")
const node = NodeId.make("n1")
const subjects = new Subjects(cluster)
const full = permissionsOf(cluster, "n1", { _tag: "Node", node })

interface Rights {
  readonly publish: ReadonlyArray<string>
  readonly subscribe: ReadonlyArray<string>
}

const configOf = ({ publish, subscribe }: Rights): string =>
  `authorization { users: [{ user: n1, password: secret, permissions: {
    publish: { allow: ${JSON.stringify(publish)} }
    subscribe: { allow: ${JSON.stringify(subscribe)} } } }] }`

let server: NatsServer | undefined
let transport: NatsTransport | undefined
let rights: BrokerRights | undefined
let warnings: Array<string> = []
afterEach(async () => {
  rights?.close()
  await transport?.close()
  await server?.stop()
})

/** A node's user with these rights, and what it hears of requests to write. */
const start = async (given: Rights) => {
  server = await startNatsServer(configOf(given))
  const servers = server.url
  warnings = []
  transport = await connectNats(
    { servers, user: "n1", password: "secret", inboxPrefix: inboxPrefixOf("n1") },
    (text) => void warnings.push(text)
  )
  const greeted: Array<NodeId> = []
  const { publish } = transport
  const watched = new BrokerRights({
    runtime: liveRuntime,
    transport,
    cluster,
    node,
    greet: (to) => {
      greeted.push(to)
      publish(subjects.peer({ to, from: node }), new Uint8Array(1))
    },
    limits: { ...lanWatch, rightsCheckMillis: 100 }
  })
  rights = watched
  watched.transport.subscribe(subjects.requests("write"), () => {}, { queue: "q" })
  watched.transport.subscribe(subjects.nodeRequests(node), () => {})
  watched.transport.subscribe("$SRV.PING", () => {})
  watched.transport.publish(subjects.peer({ to: NodeId.make("n2"), from: node }), new Uint8Array(1))
  await new Promise((resolve) => watched.transport.flush(resolve))
  return { greeted, watched }
}

const without = (patterns: ReadonlyArray<string>, dropped: string) =>
  patterns.filter((pattern) => !pattern.startsWith(dropped))

describeWithNats("a node's user", () => {
  it("with the rights that nats-config prints lacks none, and needs none for tools", async () => {
    const { watched } = await start({ ...full, subscribe: without(full.subscribe, "$SRV") })
    await until("the broker has refused the tools' questions", () => warnings.length > 0)
    expect(watched.missing()).toEqual([])
  })

  it.each<[string, Rights, string]>([
    [
      "subscribe to writes",
      { ...full, subscribe: without(full.subscribe, "everwrite.rights.v1.write") },
      "subscribe to everwrite.rights.v1.write.>"
    ],
    [
      "publish to other nodes",
      { ...full, publish: without(full.publish, "everwrite.rights.v1.peer") },
      "publish to everwrite.rights.v1.peer.n2.from.n1"
    ],
    ["answer clients", { ...full, publish: without(full.publish, "_INBOX") }, "answers to clients"]
  ])("that may not %s is told so with advice, until it may", async (_, lacking, said) => {
    const { watched } = await start(lacking)
    await until("it is noticed", () => watched.missing().length > 0)
    expect(watched.missing()).toHaveLength(1)
    expect(watched.missing()[0]).toContain(said)
    expect(watched.missing()[0]).toContain("`everwrite nats-config`")
    // It is tried again and again, and told by the log once.
    const told = warnings.length
    for (let checks = 0; checks < 3; checks++) {
      await new Promise((resolve) => watched.transport.flush(resolve))
      expect(watched.missing()).toHaveLength(1)
    }
    expect(warnings.length).toBe(told)
    await server?.stop()
    await server?.start(configOf(full))
    await until("it has the right", () => watched.missing().length === 0)
    let heard = 0
    watched.transport.subscribe(subjects.nodeRequests(node), () => void heard++)
    await until("it is connected", () => watched.transport.connected())
    expect(warnings.filter((text) => text.includes("Permissions Violation")).length)
      .toBeLessThan(told + 3)
  })

  it("is refused nothing where a client wants its answer where no node may publish", async () => {
    const { watched } = await start(full)
    watched.transport.publish("elsewhere.1", new Uint8Array(1))
    await until("the broker has refused it", () => warnings.length > 0)
    expect(watched.missing()).toEqual([])
  })
})
