// Checks the promises of the in-memory broker beyond the contract: order of turns, and
// repeatability.
import { describe, expect, it } from "vitest"
import type { Runtime } from "../../src/core/Runtime.ts"
import { makeMemoryBroker } from "../../src/transport/MemoryTransport.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

/** A runtime whose turns end when the test says so, and whose chance is a short cycle. */
const steppedRuntime = () => {
  let tasks: Array<() => void> = []
  let draws = 0
  const runtime: Runtime = {
    ...liveRuntime,
    endOfTurn: (task) => void tasks.push(task),
    random: () => (draws++ * 0.37) % 1,
    id: () => String(draws++)
  }
  const endTurn = (): number => {
    const due = tasks
    tasks = []
    for (const task of due) task()
    return due.length
  }
  return { runtime, endTurn }
}

const bytes = (...values: ReadonlyArray<number>): Uint8Array => new Uint8Array(values)

/** The member of three of a queue group that gets each of 30 messages. */
const choices = (): ReadonlyArray<number> => {
  const { endTurn, runtime } = steppedRuntime()
  const broker = makeMemoryBroker(runtime)
  const chosen: Array<number> = []
  for (let member = 0; member < 3; member++) {
    broker.connect().subscribe("work", () => chosen.push(member), { queue: "q" })
  }
  const publisher = broker.connect()
  for (let i = 0; i < 30; i++) publisher.publish("work", bytes(i))
  endTurn()
  return chosen
}

describe("the in-memory broker", () => {
  it("delivers at the end of the turn, and messages of handlers at the end of the next", () => {
    const { endTurn, runtime } = steppedRuntime()
    const broker = makeMemoryBroker(runtime)
    const [a, b] = [broker.connect(), broker.connect()]
    const events: Array<string> = []
    b.subscribe("ping", () => {
      events.push("ping")
      b.publish("pong", bytes(1))
    })
    a.subscribe("pong", () => events.push("pong"))
    a.publish("ping", bytes(1))
    expect(events).toEqual([])
    endTurn()
    expect(events).toEqual(["ping"])
    endTurn()
    expect(events).toEqual(["ping", "pong"])
  })

  it("asks for one end of turn, however much is published in it", () => {
    const { endTurn, runtime } = steppedRuntime()
    const transport = makeMemoryBroker(runtime).connect()
    let received = 0
    transport.subscribe("s", () => received++)
    for (let i = 0; i < 100; i++) transport.publish("s", bytes(i))
    expect(endTurn()).toBe(1)
    expect(received).toBe(100)
    expect(endTurn()).toBe(0)
  })

  it("chooses the same members of a queue group under the same chance", () => {
    expect(choices()).toEqual(choices())
    expect(new Set(choices()).size).toBe(3)
  })

  it("lets no receiver see later changes of the sender's bytes", () => {
    const { endTurn, runtime } = steppedRuntime()
    const transport = makeMemoryBroker(runtime).connect()
    const received: Array<ReadonlyArray<number>> = []
    transport.subscribe("s", ({ data }) => received.push([...data]))
    const data = bytes(1, 2)
    transport.publish("s", data)
    data.fill(9)
    endTurn()
    expect(received).toEqual([[1, 2]])
  })

  it("loses messages that a transport had published when it was cut off, and counts them", () => {
    const { endTurn, runtime } = steppedRuntime()
    const broker = makeMemoryBroker(runtime)
    const [cut, other] = [broker.connect(), broker.connect()]
    const received: Array<string> = []
    const flushes: Array<boolean> = []
    cut.subscribe("s", ({ data }) => received.push(`cut ${data[0]}`))
    other.subscribe("s", ({ data }) => received.push(`other ${data[0]}`))
    endTurn()
    cut.publish("s", bytes(1))
    other.publish("s", bytes(2))
    cut.flush((reached) => flushes.push(reached))
    broker.disconnect(cut)
    broker.reconnect(cut)
    endTurn()
    expect(received).toEqual(["other 2", "cut 2"])
    expect(flushes).toEqual([false])
  })

  it("cuts off one transport and leaves the others connected", () => {
    const { endTurn, runtime } = steppedRuntime()
    const broker = makeMemoryBroker(runtime)
    const [cut, publisher, other] = [broker.connect(), broker.connect(), broker.connect()]
    const received: Array<string> = []
    cut.subscribe("s", () => received.push("cut"))
    other.subscribe("s", () => received.push("other"))
    broker.disconnect(cut)
    publisher.publish("s", bytes(1))
    endTurn()
    expect(received).toEqual(["other"])
    expect([cut.connected(), other.connected()]).toEqual([false, true])
  })

  it("carries messages up to the size that it was made with", () => {
    const transport = makeMemoryBroker(steppedRuntime().runtime, { maxPayload: 10 }).connect()
    transport.publish("s", new Uint8Array(10))
    transport.publish("s", new Uint8Array(11))
    expect(transport.stats()).toMatchObject({ sentMessages: 1, droppedMessages: 1 })
  })
})
