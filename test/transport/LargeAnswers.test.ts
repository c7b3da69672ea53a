// Checks which connection carries an answer, and when an address gets none, on the embedded broker.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { ApartAddresses } from "../../src/transport/ApartAddresses.ts"
import { type Broker, startBroker } from "../../src/transport/broker/Broker.ts"
import { connectNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import { withLargeAnswers } from "../../src/transport/NatsLargeAnswers.ts"
import { until } from "../tooling/until.ts"

const limits = {
  largeAnswerBytes: 1_000,
  apartMillis: 60_000,
  apartAddressesMax: 2,
  goneMillis: 60_000,
  connectTimeoutMillis: 1_000
}
const large = new Uint8Array(1_000)
const small = new Uint8Array(10)
const frameSubject = "everwrite.dev.v1.peer.n2.from.n1"

let broker: Broker
let common: NatsTransport
let own: NatsTransport
let client: NatsTransport
let node: NatsTransport
let opened: number

const connect = (): Promise<NatsTransport> => connectNats({ servers: broker.url }, () => undefined)
const flush = (transport: NatsTransport): Promise<boolean> =>
  new Promise((resolve) => transport.flush(resolve))

beforeEach(async () => {
  broker = await startBroker()
  common = await connect()
  own = await connect()
  client = await connect()
  opened = 0
  const open = (): Promise<NatsTransport> => {
    opened++
    return Promise.resolve(own)
  }
  node = await withLargeAnswers({ common, open, limits })
  client.subscribe("_INBOX.client.*", () => undefined)
  await flush(client)
})
afterEach(async () => {
  await node.close()
  await client.close()
  await broker.close()
})

const sent = (): readonly [common: number, own: number] => [
  common.stats().sentMessages,
  own.stats().sentMessages
]

describe("a large answer", () => {
  it("takes a connection of its own, and so do later answers to its address", () => {
    node.publish("_INBOX.client.1", small)
    expect(sent()).toEqual([1, 0])
    node.publish("_INBOX.client.2", large)
    node.publish("_INBOX.client.3", small)
    expect(sent()).toEqual([1, 2])
    expect(node.stats().sentMessages).toBe(3)
  })

  it("leaves frames, and answers to others, where they were", () => {
    node.publish("_INBOX.client.1", large)
    node.publish(frameSubject, large)
    node.publish("_INBOX.other.1", small)
    expect(sent()).toEqual([2, 1])
  })

  it("of the last addresses alone is remembered", () => {
    for (const name of ["a", "b", "c"]) node.publish(`_INBOX.${name}.1`, large)
    for (const name of ["a", "b", "c"]) node.publish(`_INBOX.${name}.1`, small)
    expect(sent()).toEqual([1, 5])
  })
})

describe("an address to which nobody is subscribed", () => {
  it("has no room after a large answer, and others have", async () => {
    node.publish("_INBOX.gone.1", large)
    node.publish("_INBOX.client.1", large)
    await until("the broker has said so", () => node.answerRoom?.("_INBOX.gone.2") === 0)
    expect(node.answerRoom?.("_INBOX.client.2")).toBe(Infinity)
  })

  it("has room again after a while, for it may be subscribed by then", () => {
    const addresses = new ApartAddresses(limits)
    const number = addresses.add("_INBOX.gone", 0)
    addresses.gone(number, 1)
    expect(addresses.isGone("_INBOX.gone", limits.goneMillis)).toBe(true)
    expect(addresses.isGone("_INBOX.gone", limits.goneMillis + 1)).toBe(false)
  })

  it("is not believed of an address that several clients share", () => {
    const addresses = new ApartAddresses(limits)
    addresses.gone(addresses.add("_INBOX", 0), 1)
    expect(addresses.isGone("_INBOX", 2)).toBe(false)
  })
})

/** Gives the connections this room for answers. */
const rooms = (ofCommon: number, ofOwn: (reply: string) => number): void => {
  Object.assign(common, { answerRoom: () => ofCommon })
  Object.assign(own, { answerRoom: ofOwn })
}

describe("the room for an answer", () => {
  it("is none for an address that has its share of large answers under way", () => {
    rooms(Infinity, (reply) => reply.startsWith("_INBOX.slow.") ? 900 : Infinity)
    expect(node.answerRoom?.("_INBOX.slow.1")).toBe(0)
    expect(node.answerRoom?.("_INBOX.other.1")).toBe(Infinity)
  })

  it("is that of small answers for others, while large answers fill their connection", () => {
    rooms(Infinity, () => 0)
    expect(node.answerRoom?.("_INBOX.other.1")).toBe(limits.largeAnswerBytes - 1)
    rooms(10, () => Infinity)
    expect(node.answerRoom?.("_INBOX.other.1")).toBe(10)
  })
})

describe("a connection for large answers", () => {
  it("that cannot be made leaves them the common one, and is not tried each time", async () => {
    let attempts = 0
    const open = (): Promise<NatsTransport> => {
      attempts++
      return Promise.reject(new Error("too many connections"))
    }
    const bare = await connect()
    const other = await withLargeAnswers({ common: bare, open, limits })
    for (let i = 0; i < 10; i++) other.publish("_INBOX.client.1", large)
    expect(bare.stats().sentMessages).toBe(10)
    expect(attempts).toBe(1)
    await other.close()
  })

  it("is made once", () => {
    for (let i = 0; i < 10; i++) node.publish("_INBOX.client.1", large)
    expect(opened).toBe(1)
  })
})
