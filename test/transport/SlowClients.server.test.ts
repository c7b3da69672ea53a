// Checks, against a real nats-server, that a client which reads nothing takes nothing from others.
import { afterEach, beforeEach, expect, it } from "vitest"
import { lanServer } from "../../src/core/model/EdgeLimits.ts"
import { ClusterName } from "../../src/core/model/Names.ts"
import { natsConfig } from "../../src/node/NatsConfig.ts"
import { connectNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { neverReads } from "../tooling/neverReads.ts"
import { until } from "../tooling/until.ts"

/** The limits of the printed configuration, without its users. */
const limits = natsConfig({ cluster: ClusterName.make("dev"), host: "::1", port: 1, users: [] })
  .split("\n").filter((line) => /^(?:max_payload|max_pending|write_deadline): /u.test(line))

const large = new Uint8Array(900_000)
const small = new Uint8Array(100)

let server: NatsServer
let transports: Array<NatsTransport>
beforeEach(async () => {
  transports = []
  server = await startNatsServer(limits.join("\n"))
})
afterEach(async () => {
  server.thaw()
  for (const transport of transports) await transport.close()
  await server.stop()
})

const connect = async (): Promise<NatsTransport> => {
  const transport = await connectNats({ servers: server.url }, () => undefined)
  transports.push(transport)
  return transport
}

const flush = (transport: NatsTransport): Promise<boolean> =>
  new Promise((resolve) => transport.flush(resolve))

describeWithNats("a client that reads none of its answers", () => {
  it("leaves room for answers to others, and for frames to other nodes", async () => {
    const [node, other] = [await connect(), await connect()]
    const received = { answers: 0, frames: 0 }
    other.subscribe("_INBOX.other.*", () => received.answers++)
    other.subscribe("everwrite.dev.v1.peer.n2.from.*", () => received.frames++)
    await flush(other)
    await server.freeze()
    for (let i = 0; i < 64; i++) node.publish("_INBOX.slow.1", large)
    for (let i = 0; i < 100; i++) {
      node.publish("_INBOX.other.1", small)
      node.publish("everwrite.dev.v1.peer.n2.from.n1", small)
    }
    server.thaw()
    await until("all is there", () => received.answers === 100 && received.frames === 100)
    expect(node.stats().droppedMessages).toBe(0)
    expect(node.stats().droppedAnswers).toBeGreaterThan(50)
    expect(node.stats().droppedAnswers).toBeLessThan(64)
  })

  it("is cut off by the broker, whatever others do meanwhile", async () => {
    const [node, other] = [await connect(), await connect()]
    const slow = await neverReads(server.port, { subscribe: "_INBOX.slow.*" })
    other.subscribe("_INBOX.other.*", () => received++)
    await flush(other)
    let sent = 0
    let received = 0
    try {
      await until("it is cut off", () => {
        node.publish("_INBOX.slow.1", large)
        node.publish("_INBOX.other.1", small)
        sent++
        return slow.isCutOff()
      }, { withinMillis: 10 * lanServer.writeDeadlineMillis })
      await until("others have all of their answers", () => received === sent)
    } finally {
      slow.close()
    }
  })

  it("holds up no frames to other nodes, and no answers to others", async () => {
    const node = await connectNats({ servers: server.url, answersApart: true }, () => undefined)
    const other = await connect()
    transports.push(node)
    const slow = await neverReads(server.port, { subscribe: "_INBOX.slow.*" })
    let received = 0
    let sentAt = 0
    const times: Array<number> = []
    const note = (): void => {
      received++
      times.push(performance.now() - sentAt)
    }
    other.subscribe("_INBOX.other.*", note)
    other.subscribe("everwrite.dev.v1.peer.n2.from.n1", note)
    await flush(other)
    try {
      await until("it is cut off", async () => {
        if ((node.answerRoom?.("_INBOX.slow.1") ?? 0) > 0) node.publish("_INBOX.slow.1", large)
        node.publish("_INBOX.slow.1", small)
        const before = received
        sentAt = performance.now()
        node.publish("_INBOX.other.1", small)
        node.publish("everwrite.dev.v1.peer.n2.from.n1", small)
        await until("both have come", () => received === before + 2)
        return slow.isCutOff()
      }, { withinMillis: 10 * lanServer.writeDeadlineMillis })
    } finally {
      slow.close()
    }
    const stallMillis = 100
    const late = times.filter((millis) => millis >= stallMillis)
    // A busy machine delays some; a stalled connection delays most of them, as each takes a stall.
    expect(late.length).toBeLessThan(times.length / 10)
  })
})
