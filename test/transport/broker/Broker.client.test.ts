// Checks that the unmodified official client works on the embedded broker, feature by feature.
import {
  connect,
  type ConnectionOptions,
  headers,
  type Msg,
  type NatsConnection
} from "@nats-io/transport-node"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Broker, startBroker } from "../../../src/transport/broker/Broker.ts"

describe("the official client on the embedded broker", () => {
  let broker: Broker
  let clients: Array<NatsConnection>
  beforeEach(async () => {
    broker = await startBroker()
    clients = []
  })
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await broker.close()
  })
  const client = async (options: ConnectionOptions = {}): Promise<NatsConnection> => {
    const connection = await connect({ servers: broker.url, ...options })
    clients.push(connection)
    return connection
  }

  it("is told that this is no broker for production", async () => {
    const { info } = await client()
    expect(info).toMatchObject({ headers: true, max_payload: 1024 * 1024, proto: 1 })
    expect(info?.server_name).toContain("not for production")
  })

  it("sends headers, and a payload behind them", async () => {
    const [publisher, subscriber] = [await client(), await client()]
    const received: Array<Msg> = []
    subscriber.subscribe("h", { callback: (_, message) => void received.push(message) })
    await subscriber.flush()
    const sent = headers()
    sent.set("Trace-Id", "7")
    sent.append("Trace-Id", "8")
    publisher.publish("h", "body", { headers: sent, reply: "r.1" })
    await publisher.flush()
    await subscriber.flush()
    expect(received[0]?.headers?.values("Trace-Id")).toEqual(["7", "8"])
    expect(received[0]?.string()).toBe("body")
    expect(received[0]?.reply).toBe("r.1")
  })

  it("works verbose, where every command is answered", async () => {
    const verbose = await client({ verbose: true, pedantic: true })
    const received: Array<string> = []
    const subscription = verbose.subscribe("v", {
      callback: (_, message) => void received.push(message.string())
    })
    for (const text of ["a", "b", "c"]) verbose.publish("v", text)
    await verbose.flush()
    subscription.unsubscribe()
    await verbose.flush()
    expect(received).toEqual(["a", "b", "c"])
  })

  it("makes 500 requests at once, each with its own reply", async () => {
    const [requester, responder] = [await client(), await client()]
    responder.subscribe("square", {
      callback: (_, message) => void message.respond(String(Number(message.string()) ** 2))
    })
    await responder.flush()
    const numbers = Array.from({ length: 500 }, (_, i) => i)
    const replies = await Promise.all(
      numbers.map((n) => requester.request("square", String(n), { timeout: 5_000 }))
    )
    expect(replies.map((reply) => Number(reply.string()))).toEqual(numbers.map((n) => n * n))
  })

  it("gets many replies to one request", async () => {
    const [requester, ...responders] = [await client(), await client(), await client()]
    for (const responder of responders) {
      responder.subscribe("all", { callback: (_, message) => void message.respond("here") })
      await responder.flush()
    }
    const replies = await requester.requestMany("all", "", { strategy: "count", maxMessages: 2 })
    const texts: Array<string> = []
    for await (const reply of replies) texts.push(reply.string())
    expect(texts).toEqual(["here", "here"])
  })

  it("is told at once that a request has no subscriber, also with its own inbox", async () => {
    const requester = await client()
    await expect(requester.request("absent", "")).rejects.toThrow("no responders")
    await expect(requester.request("absent", "", { noMux: true, timeout: 5_000 }))
      .rejects.toThrow("no responders")
  })

  it("drains: messages on their way are handled before the connection closes", async () => {
    const [publisher, draining] = [await client(), await client()]
    let received = 0
    draining.subscribe("d", { callback: () => void received++ })
    await draining.flush()
    for (let i = 0; i < 2_000; i++) publisher.publish("d", "x")
    await publisher.flush()
    await draining.drain()
    expect(received).toBe(2_000)
    expect(draining.isClosed()).toBe(true)
  })

  it("ends a subscription by itself after the messages that were asked for", async () => {
    const [publisher, subscriber] = [await client(), await client()]
    const received: Array<string> = []
    const callback = (_: Error | null, message: Msg) => void received.push(message.string())
    const subscription = subscriber.subscribe("m", { max: 3, callback })
    await subscriber.flush()
    for (const text of "abcde") publisher.publish("m", text)
    await publisher.flush()
    await subscriber.flush()
    expect(received).toEqual(["a", "b", "c"])
    expect(subscription.isClosed()).toBe(true)
    await expect(publisher.request("m", "")).rejects.toThrow("no responders")
  })

  it("does not get its own messages where it asked for that, and others still do", async () => {
    const [noEcho, other] = [await client({ noEcho: true }), await client()]
    const received: Array<string> = []
    for (const [name, one] of [["noEcho", noEcho], ["other", other]] as const) {
      one.subscribe("e", { callback: () => void received.push(name) })
      await one.flush()
    }
    noEcho.publish("e", "")
    await noEcho.flush()
    await other.flush()
    expect(received).toEqual(["other"])
  })

  it("sends and gets a megabyte, byte for byte", async () => {
    const [publisher, subscriber] = [await client(), await client()]
    const sent = new Uint8Array(1024 * 1024).map((_, i) => (i * 7919) % 251)
    const received: Array<Uint8Array> = []
    subscriber.subscribe("big", { callback: (_, message) => void received.push(message.data) })
    await subscriber.flush()
    for (let i = 0; i < 8; i++) publisher.publish("big", sent)
    await publisher.flush()
    await subscriber.flush()
    expect(received).toHaveLength(8)
    expect(received.every((data) => Buffer.compare(data, sent) === 0)).toBe(true)
  })

  it("is one of 64 clients, which all get the messages of all", async () => {
    const many = await Promise.all(Array.from({ length: 64 }, () => client()))
    const heard = new Map<number, Set<string>>()
    for (const [i, one] of many.entries()) {
      const from = new Set<string>()
      heard.set(i, from)
      one.subscribe("from.*", { callback: (_, message) => void from.add(message.subject) })
    }
    await Promise.all(many.map((one) => one.flush()))
    for (const [i, one] of many.entries()) one.publish(`from.${i}`)
    for (const one of [...many, ...many]) await one.flush()
    expect([...heard.values()].map((from) => from.size)).toEqual(many.map(() => 64))
    expect(broker.stats().connections).toBe(64)
  })
})
