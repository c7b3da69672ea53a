/**
 * States what every transport does, whatever carries it.
 *
 * A harness brings a broker that can be stopped and started again. That nothing more comes is
 * shown by a flush of publisher and subscriber, after which everything sent has arrived.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Message, TransportService } from "../../src/transport/Transport.ts"
import { until } from "../tooling/until.ts"

export interface TransportHarness {
  readonly connect: () => Promise<TransportService>
  readonly stopBroker: () => Promise<void>
  readonly startBroker: () => Promise<void>
  readonly close: () => Promise<void>
}

/** The harness of the test that runs now. */
type Current = () => TransportHarness

const connect = (current: Current): Promise<TransportService> => current().connect()

const connectTwo = async (current: Current) =>
  [await connect(current), await connect(current)] as const

const connectThree = async (current: Current) =>
  [...await connectTwo(current), await connect(current)] as const

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (message: Message): string => new TextDecoder().decode(message.data)

/** Subscribes, and keeps what comes as text. */
const collect = (
  transport: TransportService,
  pattern: string,
  options?: { readonly queue: string }
): Array<string> => {
  const received: Array<string> = []
  transport.subscribe(pattern, (message) => received.push(textOf(message)), options)
  return received
}

const flush = (transport: TransportService): Promise<boolean> =>
  new Promise((resolve) => transport.flush(resolve))

/** Waits until all that was published has arrived. */
const settle = async (publisher: TransportService, ...others: Array<TransportService>) => {
  for (const transport of [...others, publisher, ...others]) {
    expect(await flush(transport)).toBe(true)
  }
}

const deliveryContract = (current: Current): void => {
  it("every subscriber of a subject gets each message, with its bytes and subject", async () => {
    const [publisher, one, two] = await connectThree(current)
    const received: Array<readonly [string, ReadonlyArray<number>]> = []
    for (const subscriber of [one, two]) {
      subscriber.subscribe("a.b", ({ data, subject }) => received.push([subject, [...data]]))
    }
    await settle(publisher, one, two)
    publisher.publish("a.b", new Uint8Array([0, 13, 10, 255]))
    publisher.publish("a.c", bytes("elsewhere"))
    await settle(publisher, one, two)
    expect(received).toEqual([["a.b", [0, 13, 10, 255]], ["a.b", [0, 13, 10, 255]]])
  })

  it("a star stands for exactly one token, and a final > for one or more", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    const patterns = ["a.*", "a.>", "*.b", "a.*.c", ">", "a"]
    const received = patterns.map((pattern) => collect(subscriber, pattern))
    await settle(publisher, subscriber)
    for (const subject of ["a", "a.b", "a.b.c", "x.b", "a.b.c.d"]) {
      publisher.publish(subject, bytes(subject))
    }
    await settle(publisher, subscriber)
    expect(Object.fromEntries(patterns.map((pattern, i) => [pattern, received[i]]))).toEqual({
      "a.*": ["a.b"],
      "a.>": ["a.b", "a.b.c", "a.b.c.d"],
      "*.b": ["a.b", "x.b"],
      "a.*.c": ["a.b.c"],
      ">": ["a", "a.b", "a.b.c", "x.b", "a.b.c.d"],
      a: ["a"]
    })
  })

  it("messages of one publisher arrive in the order in which they were published", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    const received = collect(subscriber, "order.*")
    await settle(publisher, subscriber)
    const sent = Array.from({ length: 5_000 }, (_, i) => String(i))
    for (const text of sent) publisher.publish(`order.${Number(text) % 7}`, bytes(text))
    await settle(publisher, subscriber)
    expect(received).toEqual(sent)
  })

  it("bytes that change after the turn of their message are delivered as they were", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    const received = collect(subscriber, "reused")
    await settle(publisher, subscriber)
    const reused = new Uint8Array(8)
    const sent = Array.from({ length: 200 }, (_, i) => `turn ${i}`.padEnd(reused.length))
    for (const text of sent) {
      reused.set(bytes(text))
      publisher.publish("reused", reused)
      await new Promise(setImmediate)
      reused.fill(0)
    }
    await settle(publisher, subscriber)
    expect(received).toEqual(sent)
  })

  it("nothing is delivered inside publish, not even to the publisher itself", async () => {
    const transport = await connect(current)
    let publishing = false
    const delivered: Array<boolean> = []
    transport.subscribe("self", () => delivered.push(publishing))
    await settle(transport)
    publishing = true
    transport.publish("self", bytes("x"))
    publishing = false
    await settle(transport)
    expect(delivered).toEqual([false])
  })

  it("a closed subscription gets nothing more, and its sisters still do", async () => {
    const transport = await connect(current)
    const received: Array<string> = []
    const closed = transport.subscribe("s", (message) => received.push(`1:${textOf(message)}`))
    transport.subscribe("s", (message) => received.push(`2:${textOf(message)}`))
    transport.publish("s", bytes("a"))
    await settle(transport)
    closed.close()
    closed.close()
    transport.publish("s", bytes("b"))
    await settle(transport)
    expect(received.sort()).toEqual(["1:a", "2:a", "2:b"])
  })
}

const queueContract = (current: Current): void => {
  it("each message reaches exactly one member of a queue group, and each gets some", async () => {
    const publisher = await connect(current)
    const members = await Promise.all(Array.from({ length: 4 }, () => connect(current)))
    const received = members.map((member) => collect(member, "work.>", { queue: "q" }))
    const other = collect(members[0]!, "work.*", { queue: "other" })
    const all = collect(members[1]!, "work.1")
    await settle(publisher, ...members)
    const sent = Array.from({ length: 400 }, (_, i) => String(i))
    for (const text of sent) publisher.publish("work.1", bytes(text))
    await settle(publisher, ...members)
    expect(received.flat().sort((a, b) => Number(a) - Number(b))).toEqual(sent)
    expect(received.every((some) => some.length > 0)).toBe(true)
    expect(other).toEqual(sent)
    expect(all).toEqual(sent)
  })

  it("a member that leaves its queue group leaves its share to the others", async () => {
    const [publisher, stays, leaves] = await connectThree(current)
    const received = collect(stays, "work", { queue: "q" })
    const subscription = leaves.subscribe("work", () => undefined, { queue: "q" })
    await settle(publisher, stays, leaves)
    subscription.close()
    await settle(publisher, stays, leaves)
    for (let i = 0; i < 50; i++) publisher.publish("work", bytes("x"))
    await settle(publisher, stays)
    expect(received).toHaveLength(50)
  })
}

const replyContract = (current: Current): void => {
  it("a reply reaches the requester, below an inbox that is its own", async () => {
    const [requester, responder] = await connectTwo(current)
    const inbox = requester.newInbox()
    expect(inbox).not.toBe(requester.newInbox())
    expect(inbox).not.toBe(responder.newInbox())
    responder.subscribe("double", ({ data, reply }) => {
      if (reply !== undefined) responder.publish(reply, new Uint8Array([data[0]! * 2]))
    })
    const replies: Array<readonly [string, number | undefined, boolean]> = []
    requester.subscribe(`${inbox}.*`, ({ data, noResponders, subject }) => {
      replies.push([subject, data[0], noResponders])
    })
    await settle(requester, responder)
    requester.publish("double", new Uint8Array([4]), `${inbox}.1`)
    requester.publish("double", new Uint8Array([5]), `${inbox}.2`)
    await settle(requester, responder)
    await settle(responder, requester)
    expect(replies).toEqual([[`${inbox}.1`, 8, false], [`${inbox}.2`, 10, false]])
  })

  it("a request without subscribers is answered with no responders, once", async () => {
    const [requester, bystander] = await connectTwo(current)
    const inbox = requester.newInbox()
    const replies: Array<Message> = []
    requester.subscribe(`${inbox}.*`, (message) => replies.push(message))
    const overheard = collect(bystander, `${inbox}.>`)
    await settle(requester, bystander)
    requester.publish("absent", bytes("?"), `${inbox}.9`)
    requester.publish("absent", bytes("no reply is wanted"))
    await settle(requester, bystander)
    expect(replies.map(({ noResponders, subject }) => [subject, noResponders]))
      .toEqual([[`${inbox}.9`, true]])
    expect(replies[0]?.data).toHaveLength(0)
    expect(overheard).toEqual([])
  })
}

const limitsContract = (current: Current): void => {
  it("a message of the largest size passes, and one byte more is dropped and counted", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    const sizes: Array<number> = []
    subscriber.subscribe("big", ({ data }) => sizes.push(data.length))
    await settle(publisher, subscriber)
    const limit = publisher.maxPayload()
    publisher.publish("big", new Uint8Array(limit))
    publisher.publish("big", new Uint8Array(limit + 1))
    publisher.publish("big", new Uint8Array(1))
    await settle(publisher, subscriber)
    expect(sizes).toEqual([limit, 1])
    expect(publisher.stats()).toMatchObject({ sentMessages: 2, droppedMessages: 1 })
    expect(publisher.connected()).toBe(true)
  })

  it("a subject that is none is dropped and counted, be it the target or the reply", async () => {
    const transport = await connect(current)
    const received = collect(transport, ">")
    await settle(transport)
    const none = ["", ".", "a..b", ".a", "a.", "a b", "a\tb", "a.*", "*", ">", "a.>.b", "a\r\nPING"]
    for (const subject of none) {
      transport.publish(subject, bytes("x"))
      transport.publish("fine", bytes("x"), subject)
    }
    transport.publish("a*.>b", bytes("wildcards are whole tokens"))
    await settle(transport)
    expect(received).toEqual(["wildcards are whole tokens"])
    expect(transport.stats().droppedMessages).toBe(none.length * 2)
  })

  it("a pattern that is none is refused as a broken promise", async () => {
    const transport = await connect(current)
    for (const pattern of ["", "a..b", "a b", "a.>.b"]) {
      expect(() => transport.subscribe(pattern, () => undefined)).toThrow("is a pattern")
    }
  })

  it("messages and bytes are counted on both sides", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    collect(subscriber, "s")
    await settle(publisher, subscriber)
    for (const text of ["a", "bb", "ccc"]) publisher.publish("s", bytes(text))
    await settle(publisher, subscriber)
    const unharmed = { droppedMessages: 0, droppedAnswers: 0, reconnects: 0 }
    const idle = { receivedMessages: 0, receivedBytes: 0, ...unharmed }
    expect(publisher.stats()).toEqual({ ...idle, sentMessages: 3, sentBytes: 6 })
    expect(subscriber.stats()).toMatchObject({ receivedMessages: 3, receivedBytes: 6 })
    expect(publisher.address()).not.toBe("")
  })

  it("a subscription is active once a flush has answered", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    for (let i = 0; i < 50; i++) {
      const received = collect(subscriber, `flush.${i}`)
      expect(await flush(subscriber)).toBe(true)
      publisher.publish(`flush.${i}`, bytes("x"))
      await settle(publisher, subscriber)
      expect(received).toEqual(["x"])
    }
  })
}

const statusContract = (current: Current): void => {
  const cut = async (...transports: Array<TransportService>): Promise<void> => {
    await current().stopBroker()
    await until("all are disconnected", () => transports.every((one) => !one.connected()))
  }
  /** A cluster serves again within 2 s of the broker's return. */
  const heal = async (...transports: Array<TransportService>): Promise<void> => {
    await current().startBroker()
    const connected = () => transports.every((one) => one.connected())
    await until("all are connected", connected, { withinMillis: 2_000 })
  }

  it("status listeners hear of the broker's stop and return, in this order", async () => {
    const transport = await connect(current)
    const heard: Array<boolean> = []
    const toldAfterClosing: Array<boolean> = []
    transport.onStatus((connected) => heard.push(connected))
    transport.onStatus((connected) => toldAfterClosing.push(connected)).close()
    expect(transport.connected()).toBe(true)
    await cut(transport)
    expect(heard).toEqual([false])
    await heal(transport)
    expect(heard).toEqual([false, true])
    expect(toldAfterClosing).toEqual([])
    expect(transport.stats().reconnects).toBe(1)
  })

  it("subscriptions outlive the broker, as they were changed while it was away", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    const received = collect(subscriber, "kept")
    const closed = collect(subscriber, "unused")
    const closing = subscriber.subscribe("closed", (message) => closed.push(textOf(message)))
    await settle(publisher, subscriber)
    await cut(publisher, subscriber)
    closing.close()
    const added = collect(subscriber, "added")
    await heal(publisher, subscriber)
    await settle(publisher, subscriber)
    for (const subject of ["kept", "closed", "added"]) publisher.publish(subject, bytes(subject))
    await settle(publisher, subscriber)
    expect([received, closed, added]).toEqual([["kept"], [], ["added"]])
  })

  it("while it is away messages are dropped and counted, none of them comes later", async () => {
    const [publisher, subscriber] = await connectTwo(current)
    const received = collect(subscriber, "s")
    await settle(publisher, subscriber)
    await cut(publisher, subscriber)
    for (let i = 0; i < 20_000; i++) publisher.publish("s", bytes("lost"))
    expect(publisher.stats()).toMatchObject({ sentMessages: 0, droppedMessages: 20_000 })
    expect(await flush(publisher)).toBe(false)
    await heal(publisher, subscriber)
    await settle(publisher, subscriber)
    publisher.publish("s", bytes("first"))
    await settle(publisher, subscriber)
    expect(received).toEqual(["first"])
  })
}

export const transportContract = (
  name: string,
  makeHarness: () => Promise<TransportHarness>
): void => {
  describe(`the transport over ${name}`, () => {
    let harness: TransportHarness | undefined
    beforeEach(async () => {
      harness = await makeHarness()
    })
    afterEach(() => harness?.close())
    const current: Current = () => {
      if (harness === undefined) throw new Error("the harness was not made")
      return harness
    }
    deliveryContract(current)
    queueContract(current)
    replyContract(current)
    limitsContract(current)
    statusContract(current)
  })
}
