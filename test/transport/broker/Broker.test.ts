// Checks how the embedded broker protects itself, and how it cuts a node off.
import { connect, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fc from "fast-check"
import { connect as connectSocket } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import {
  type Broker,
  type BrokerOptions,
  BrokerUnavailable,
  EmbeddedBroker,
  layerBroker,
  startBroker
} from "../../../src/transport/broker/Broker.ts"
import { until } from "../../tooling/until.ts"
import { rawClient } from "./RawClient.ts"

const closing: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const broker = async (options: BrokerOptions = {}): Promise<Broker> => {
  const started = await startBroker(options)
  closing.push(() => started.close())
  return started
}

const client = async ({ url }: Broker, name = ""): Promise<NatsConnection> => {
  const connection = await connect({ servers: url, name })
  closing.push(() => connection.close())
  return connection
}

const listen = async (connection: NatsConnection, subject: string, queue?: string) => {
  const received: Array<string> = []
  connection.subscribe(subject, {
    ...queue === undefined ? {} : { queue },
    callback: (_, message) => void received.push(message.string())
  })
  await connection.flush()
  return received
}

/** All that the broker says to `lines`, without its greeting. */
const answers = async ({ port }: Broker, ...lines: ReadonlyArray<string>): Promise<string> => {
  const raw = await rawClient(port)
  raw.send([...lines, "PING", ""].join("\r\n"))
  await raw.hears("PONG\r\n")
  return raw.heard().replace(/^INFO [^\r]*\r\n/u, "")
}

describe("where the embedded broker listens", () => {
  it.each(["0.0.0.0", "::", "192.168.0.1", "example.org", ""])("refuses %j", async (host) => {
    const refusal = startBroker({ host })
    await expect(refusal).rejects.toThrow("loopback only")
    await expect(refusal).rejects.toMatchObject({ _tag: "BrokerUnavailable", kind: "not-loopback" })
  })

  it.each(["127.0.0.1", "127.1.2.3", "localhost"])("takes %s", async (host) => {
    const started = await broker({ host })
    const connection = await client(started)
    await connection.flush()
    expect(started.url).toBe(`nats://${host}:${started.port}`)
  })

  it("says which port is in use", async () => {
    const { port } = await broker()
    await expect(startBroker({ port })).rejects.toMatchObject({
      kind: "in-use",
      address: `127.0.0.1:${port}`
    })
  })

  it("closes with the scope of its layer", async () => {
    const port = await Effect.runPromise(
      Effect.gen(function*() {
        const embedded = yield* EmbeddedBroker
        yield* Effect.promise(() => client(embedded))
        expect(embedded.stats().connections).toBe(1)
        return embedded.port
      }).pipe(Effect.provide(layerBroker()))
    )
    const refused = await new Promise((resolve) => {
      connectSocket({ port, host: "127.0.0.1" }).once("error", () => resolve(true))
    })
    expect(refused).toBe(true)
    const failure = await Effect.runPromise(
      Effect.flip(Layer.build(layerBroker({ host: "0.0.0.0" })).pipe(Effect.scoped))
    )
    expect(failure).toBeInstanceOf(BrokerUnavailable)
  })
})

describe("a client that misbehaves", () => {
  it.each([
    ["an unknown word", "HELLO\r\n", "-ERR 'Unknown Protocol Operation'"],
    ["a control line without end", "P".repeat(5_000), "-ERR 'Maximum Control Line Exceeded'"],
    ["too large a message", "PUB a 2000\r\n", "-ERR 'Maximum Payload Violation'"],
    ["a body longer than announced", "PUB a 1\r\nab\r\n", "-ERR 'Parser Error'"],
    ["options that are no JSON", "CONNECT {\r\n", "-ERR 'Invalid CONNECT'"],
    ["options of another type", "CONNECT {\"verbose\":1}\r\n", "-ERR 'Invalid CONNECT'"]
  ])("is told so and cut off after %s, and no other client is", async (_, sent, answer) => {
    const started = await broker({ maxPayload: 1_000 })
    const other = await client(started)
    const raw = await rawClient(started.port)
    raw.send(`SUB > 1\r\n${sent}`)
    await raw.hears(answer)
    await raw.isClosed()
    await other.flush()
    expect(started.stats().connections).toBe(1)
  })

  it.each([
    ["SUB a..b 1\r\n", "-ERR 'Invalid Subject'"],
    ["PUB a.* 1\r\nx\r\n", "-ERR 'Invalid Publish Subject'"],
    ["PUB a .r 1\r\nx\r\n", "-ERR 'Invalid Publish Subject'"]
  ])("is told so and stays after %j", async (sent, answer) => {
    const { port } = await broker()
    const raw = await rawClient(port)
    raw.send(`${sent}PING\r\n`)
    await raw.hears("PONG\r\n")
    expect(raw.heard()).toContain(answer)
    expect(raw.closed()).toBe(false)
  })

  it("is one too many: it is turned away, and the others stay", async () => {
    const started = await broker({ connectionsMax: 2 })
    const [one, two] = [await client(started), await client(started)]
    await expect(connect({ servers: started.url })).rejects.toThrow()
    await Promise.all([one.flush(), two.flush()])
    await two.close()
    await until("the place is free", () => started.stats().connections === 1)
    await client(started)
  })

  it("answers no PING: it is found dead, a quiet one that answers is not", async () => {
    const started = await broker({ pingIntervalMillis: 20, pingsUnanswered: 2 })
    const quiet = await client(started)
    const dead = await rawClient(started.port)
    await dead.hears("-ERR 'Stale Connection'")
    await dead.isClosed()
    expect(dead.heard().match(/PING\r\n/gu)).toHaveLength(2)
    await quiet.flush()
    expect(started.stats().connections).toBe(1)
  })

  it("does not take its messages: it is cut off and counted, the others get theirs", async () => {
    const started = await broker({ waitingBytesMax: 2 * 1024 * 1024 })
    const [publisher, healthy] = [await client(started), await client(started)]
    const received = await listen(healthy, "flood")
    const slow = await rawClient(started.port)
    slow.send("SUB flood 1\r\nPING\r\n")
    await slow.hears("PONG")
    slow.socket.pause()
    let sent = 0
    while (started.stats().slowConsumers === 0 && sent < 500) {
      publisher.publish("flood", new Uint8Array(256 * 1024))
      sent++
      await publisher.flush()
      await healthy.flush()
    }
    expect(started.stats()).toEqual({ connections: 2, slowConsumers: 1 })
    expect(received).toHaveLength(sent)
  })

  it("sends garbage of any kind: the broker goes on serving the others", async () => {
    const started = await broker()
    const healthy = await client(started)
    const received = await listen(healthy, "alive")
    const words = fc.constantFrom(
      "PUB a 3\r\n",
      "HPUB a 4 9\r\n",
      "SUB > 1\r\n",
      "\r\n",
      "CONNECT {}\r\n"
    )
    const piece = fc.oneof(
      words.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const raw = await rawClient(started.port)
        for (const bytes of pieces) raw.send(bytes)
        raw.socket.end()
        await raw.isClosed()
      }),
      { numRuns: 150 }
    )
    await until("all are gone", () => started.stats().connections === 1)
    healthy.publish("alive", "yes")
    await healthy.flush()
    expect(received).toEqual(["yes"])
  })
})

describe("a client that speaks less of the protocol", () => {
  it("has a subscription once, though it sends it twice, as after a reconnection", async () => {
    expect(await answers(await broker(), "SUB a 1", "SUB a 1", "PUB a 1", "x"))
      .toBe("MSG a 1 1\r\nx\r\nPONG\r\n")
  })

  it("gets as many messages as it asked for, counted from the beginning", async () => {
    const publish = ["PUB a 0", ""]
    const lines = ["SUB a 1", ...publish, "UNSUB 1 2", ...publish, ...publish]
    expect(await answers(await broker(), ...lines)).toBe("MSG a 1 0\r\n\r\n".repeat(2) + "PONG\r\n")
    expect(await answers(await broker(), "SUB a 1", ...publish, "UNSUB 1 1", ...publish))
      .toBe("MSG a 1 0\r\n\r\nPONG\r\n")
  })

  it("gets no headers where it knows none, and the body all the same", async () => {
    const message = ["SUB a 1", "HPUB a r 12 14", "NATS/1.0\r\n\r\nhi"]
    expect(await answers(await broker(), ...message)).toBe("MSG a 1 r 2\r\nhi\r\nPONG\r\n")
    expect(await answers(await broker(), "CONNECT {\"headers\":true}", ...message))
      .toBe("HMSG a 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPONG\r\n")
  })

  it("is told that a request has no subscriber only where it asked to be", async () => {
    const request = ["SUB r 1", "PUB absent r 0", ""]
    const refusal = "HMSG r 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
    expect(await answers(await broker(), "CONNECT {\"headers\":true}", ...request)).toBe("PONG\r\n")
    expect(
      await answers(await broker(), "CONNECT {\"headers\":true,\"no_responders\":true}", ...request)
    ).toBe(`${refusal}PONG\r\n`)
  })
})

describe("an isolated client", () => {
  it("stays connected, but gets and sends no message, until it is healed", async () => {
    const started = await broker()
    const [n1, n2] = [await client(started, "n1"), await client(started, "n2")]
    const [atN1, atN2] = [await listen(n1, ">"), await listen(n2, ">")]
    const publishAll = async () => {
      n1.publish("s", "from n1")
      n2.publish("s", "from n2")
      for (const one of [n1, n2, n1, n2]) await one.flush()
    }
    started.isolate("n2")
    await publishAll()
    expect([atN1, atN2]).toEqual([["from n1"], []])
    started.heal("n2")
    await publishAll()
    expect(atN1.toSorted()).toEqual(["from n1", "from n1", "from n2"])
    expect(atN2.toSorted()).toEqual(["from n1", "from n2"])
  })

  it("is no member of its queue groups, so that requests go to nodes that can answer", async () => {
    const started = await broker()
    const [n1, n2, asking] = [
      await client(started, "n1"),
      await client(started, "n2"),
      await client(started)
    ]
    const [atN1, atN2] = [await listen(n1, "work", "q"), await listen(n2, "work", "q")]
    started.isolate("n2")
    for (let i = 0; i < 20; i++) asking.publish("work", "x")
    for (const one of [asking, n1, n2]) await one.flush()
    expect([atN1.length, atN2.length]).toEqual([20, 0])
    started.isolate("n1")
    await expect(asking.request("work", "")).rejects.toThrow("no responders")
  })

  it("is still isolated when it comes back", async () => {
    const started = await broker()
    started.isolate("n2")
    const [n1, n2] = [await client(started, "n1"), await client(started, "n2")]
    const atN1 = await listen(n1, "s")
    n2.publish("s", "x")
    await n2.flush()
    await n1.flush()
    expect(atN1).toEqual([])
  })
})
