// Checks the additions of the NATS transport to the official client, on the embedded broker.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { serverAddresses } from "../../src/transport/NatsOptions.ts"
import { connectNats, layerNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import { Transport, TransportUnavailable } from "../../src/transport/Transport.ts"
import { type Broker, startBroker } from "../../src/transport/broker/Broker.ts"
import { freePort } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"

const ignored = (): void => undefined
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

let broker: Broker
let transports: Array<NatsTransport>
beforeEach(async () => {
  broker = await startBroker()
  transports = []
})
afterEach(async () => {
  await Promise.all(transports.map((transport) => transport.close()))
  await broker.close()
})

const connect = async (): Promise<NatsTransport> => {
  const transport = await connectNats({ servers: broker.url }, ignored)
  transports.push(transport)
  return transport
}

const flush = (transport: NatsTransport): Promise<boolean> =>
  new Promise((resolve) => transport.flush(resolve))

describe("a broker that cannot be reached", () => {
  it("is a TransportUnavailable that names the address and the reason", async () => {
    const port = await freePort()
    const failure = connectNats({ servers: `nats://127.0.0.1:${port}` }, ignored)
    await expect(failure).rejects.toBeInstanceOf(TransportUnavailable)
    await expect(failure).rejects.toThrow(
      `no NATS broker at nats://127.0.0.1:${port}: connection refused`
    )
  })

  it.each([
    [{ credsFile: "/nowhere/n1.creds" }, "/nowhere/n1.creds cannot be read"],
    [{ nkeySeed: "SUNOSEED" }, "nkey"],
    [{ tls: {} }, "tls"],
    [{ servers: "" }, "servers are given as nats://host:port"],
    [{ servers: [] }, "servers are given as nats://host:port"],
    [{ servers: "nats://a b" }, "servers are given as nats://host:port"],
    [{ servers: "http://127.0.0.1" }, "servers are given as nats://host:port"]
  ])("or has settings that do not work: %j", async (options, reason) => {
    await expect(connectNats({ servers: broker.url, ...options }, ignored)).rejects.toThrow(reason)
  })

  it("is the failure of the layer", async () => {
    const port = await freePort()
    const layer = layerNats({ servers: `127.0.0.1:${port}` })
    const failure = await Effect.runPromise(Effect.flip(Layer.build(layer)).pipe(Effect.scoped))
    expect(failure).toBeInstanceOf(TransportUnavailable)
  })

  it("is passed over for the next server of the list", async () => {
    const port = await freePort()
    const servers = [`nats://127.0.0.1:${port}`, broker.url]
    const transport = await connectNats({ servers }, ignored)
    transports.push(transport)
    expect(transport.address()).toBe(broker.url)
  })

  it("is named without user, password and token", () => {
    const servers = ["nats://n1:s3cret@a:4222", "nats://t0ken@b", "c:4222"]
    expect(serverAddresses({ servers })).toBe("nats://a:4222,nats://b,c:4222")
    expect(serverAddresses({ servers: servers.join(",") })).toBe("nats://a:4222,nats://b,c:4222")
  })
})

describe("the NATS layer", () => {
  it("sends messages published before its scope closed, then disconnects", async () => {
    const subscriber = await connect()
    const received: Array<number> = []
    subscriber.subscribe("s", ({ data }) => received.push(data.length))
    await flush(subscriber)
    const layer = layerNats({ servers: broker.url, name: "everwrite/n1" })
    await Effect.runPromise(
      Effect.scoped(Effect.map(Layer.build(layer), (context) => {
        const transport = Context.get(context, Transport)
        for (let i = 0; i < 100; i++) transport.publish("s", new Uint8Array(10_000))
      }))
    )
    await flush(subscriber)
    expect(received).toHaveLength(100)
    await until("it is disconnected", () => broker.stats().connections === 1)
  })
})

describe("a handler that throws", () => {
  it("becomes an uncaught exception, and the messages after it are delivered", async () => {
    const transport = await connect()
    const received: Array<string> = []
    transport.subscribe("s", ({ data }) => {
      const text = new TextDecoder().decode(data)
      if (text === "bad") throw new Error("a fault of the handler")
      received.push(text)
    })
    const others = process.listeners("uncaughtException")
    const faults: Array<unknown> = []
    process.removeAllListeners("uncaughtException")
    process.on("uncaughtException", (fault) => faults.push(fault))
    try {
      for (const text of ["a", "bad", "b"]) transport.publish("s", bytes(text))
      expect(await flush(transport)).toBe(true)
    } finally {
      process.removeAllListeners("uncaughtException")
      for (const other of others) process.on("uncaughtException", other)
    }
    expect(received).toEqual(["a", "b"])
    expect(faults.map(String)).toEqual(["Error: a fault of the handler"])
  })
})

describe("closing", () => {
  it("answers requests that have arrived, and drops messages published later", async () => {
    const [asking, answering] = [await connect(), await connect()]
    answering.subscribe("ask", ({ reply }) => answering.publish(reply ?? "", bytes("yes")))
    const answers: Array<number> = []
    asking.subscribe("answer", ({ data }) => answers.push(data.length))
    await Promise.all([flush(asking), flush(answering)])
    for (let i = 0; i < 500; i++) asking.publish("ask", bytes("?"), "answer")
    await flush(asking)
    await answering.close()
    await flush(asking)
    expect(answers).toHaveLength(500)
    const { droppedMessages } = answering.stats()
    answering.publish("answer", bytes("late"))
    expect(answering.stats().droppedMessages).toBe(droppedMessages + 1)
    expect(answering.connected()).toBe(false)
  })

  it("ends at once while the broker is away, and may be asked for twice", async () => {
    const transport = await connect()
    const statuses: Array<boolean> = []
    transport.onStatus((connected) => statuses.push(connected))
    await broker.close()
    await until("it is disconnected", () => !transport.connected())
    await transport.close()
    await transport.close()
    broker = await startBroker({ port: broker.port })
    expect(transport.connected()).toBe(false)
    expect(statuses).toEqual([false])
  })
})

describe("an answer that says that a request failed", () => {
  it("has the headers of a micro service's error", async () => {
    const transport = await connect()
    const heard: Array<unknown> = []
    transport.subscribe("answers", ({ fault }) => heard.push(fault))
    await flush(transport)
    const fault = { code: 404, description: "UnknownBucket: there is no bucket ä here" }
    transport.publish("answers", bytes("{}"), undefined, undefined, fault)
    transport.publish("answers", bytes("{}"))
    await until("both are there", () => heard.length === 2)
    expect(heard).toEqual([fault, undefined])
  })
})
