// Checks that the simulated network carries messages as NATS does, and as badly as it is told to.
import { describe, expect, it } from "vitest"
import { Kernel, outside, type Owner } from "../../src/testing/simulator/Kernel.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { type NetworkFaults, SimNetwork } from "../../src/testing/simulator/SimNetwork.ts"

/** Nodes a, b and c, and the messages that came to each, with the time. */
const connected = (weather: Partial<NetworkFaults> = {}) => {
  const kernel = new Kernel(stream(1, "schedule"))
  const met = new Map<string, number>()
  const network = new SimNetwork({
    kernel,
    outside: outside(),
    random: stream(1, "network"),
    turning: stream(1, "turned bits"),
    maxPayloadBytes: 1024,
    did: (fault) => met.set(fault, (met.get(fault) ?? 0) + 1)
  })
  network.weather.set(1, weather)
  const join = (name: string) => {
    const owner: Owner = { name, alive: true, paused: false }
    const transport = network.connect(name, owner)
    const came: Array<{ readonly text: string; readonly at: number }> = []
    transport.subscribe(
      `to.${name}`,
      ({ data }) => came.push({ text: new TextDecoder().decode(data), at: kernel.now })
    )
    const send = (to: string, text: string) =>
      transport.publish(`to.${to}`, new TextEncoder().encode(text))
    return { owner, transport, came, send, texts: () => came.map(({ text }) => text) }
  }
  return { kernel, network, met, a: join("a"), b: join("b"), c: join("c") }
}

const texts = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`)

/** A thousand messages under these faults, and their receivers. */
const cameIn = (weather: Partial<NetworkFaults>) => {
  const { a, b, kernel } = connected(weather)
  for (const text of texts(1_000)) a.send("b", text)
  kernel.run(70_000)
  return b
}

describe("the simulated network", () => {
  it("delivers every message in fair weather, in some order, and none in the sender's turn", () => {
    const { a, b, kernel } = connected()
    for (const text of texts(100)) a.send("b", text)
    expect(b.came).toEqual([])
    kernel.run(1_000)
    expect(b.texts().toSorted()).toEqual(texts(100).toSorted())
    expect(b.texts()).not.toEqual(texts(100))
  })

  it("copies each message: later changes of the sender's bytes reach no receiver", () => {
    const { a, b, kernel } = connected()
    const data = new TextEncoder().encode("before")
    a.transport.publish("to.b", data)
    data.fill(0)
    kernel.run(1_000)
    expect(b.texts()).toEqual(["before"])
  })

  it("gives a message to one of a queue group, and says so where there are no subscribers", () => {
    const { a, b, c, kernel } = connected()
    let taken = 0
    for (const { transport } of [b, c]) {
      transport.subscribe("work", () => taken++, { queue: "workers" })
    }
    for (let i = 0; i < 10; i++) a.transport.publish("work", new Uint8Array(1))
    const replies: Array<boolean> = []
    const inbox = a.transport.newInbox()
    a.transport.subscribe(inbox, ({ noResponders }) => replies.push(noResponders))
    a.transport.publish("nowhere", new Uint8Array(1), inbox)
    kernel.run(1_000)
    expect(taken).toBe(10)
    expect(replies).toEqual([true])
  })

  it("cuts one way at a time, and leaves the way by a third node", () => {
    const { a, b, c, kernel, met, network } = connected()
    network.cut("one way", "a", "b")
    a.send("b", "cut")
    a.send("c", "by c")
    b.send("a", "back")
    kernel.run(1_000)
    expect([a.texts(), b.texts(), c.texts()]).toEqual([["back"], [], ["by c"]])
    expect(met.get("one way")).toBe(1)
    network.mend("one way", "a", "b")
    a.send("b", "mended")
    kernel.run(2_000)
    expect(b.texts()).toEqual(["mended"])
  })

  it("keeps a cut that two faults made until both have ended", () => {
    const { a, b, kernel, network } = connected()
    network.cut("halves", "a", "b")
    network.cut("lone", "a", "b")
    network.mend("halves", "a", "b")
    a.send("b", "still cut")
    kernel.run(1_000)
    network.mend("lone", "a", "b")
    a.send("b", "mended")
    kernel.run(2_000)
    expect(b.texts()).toEqual(["mended"])
  })

  it("loses, doubles and replays the share of messages that it is told to", () => {
    const lost = 1_000 - cameIn({ loss: 0.3 }).came.length
    expect(Math.abs(lost - 300)).toBeLessThan(60)
    const doubled = cameIn({ duplication: 0.3 }).came.length - 1_000
    expect(Math.abs(doubled - 300)).toBeLessThan(60)
    const replayed = cameIn({ replay: 0.3 }).came
    expect(Math.abs(replayed.length - 1_300)).toBeLessThan(60)
    expect(Math.max(...replayed.map(({ at }) => at))).toBeGreaterThan(50_000)
  })

  it("delays by the mean that it is told, some messages by up to ten seconds", () => {
    const { a, b, kernel } = connected({ delayMeanMillis: 100, tailShare: 0.1 })
    for (const text of texts(1_000)) a.send("b", text)
    kernel.run(70_000)
    const late = b.came.filter(({ at }) => at > 1_000).length
    expect(Math.abs(late - 90)).toBeLessThan(40)
  })

  it("loses everything unnoticed when its broker stops, and tells three seconds later", () => {
    const { a, b, kernel, network } = connected()
    const told: Array<readonly [number, boolean]> = []
    a.transport.onStatus((isConnected) => told.push([kernel.now, isConnected]))
    network.stopBroker()
    a.send("b", "lost")
    kernel.run(2_900)
    expect([a.transport.connected(), told, b.came]).toEqual([true, [], []])
    kernel.run(4_000)
    expect([a.transport.connected(), told]).toEqual([false, [[3_000, false]]])
    network.startBroker()
    kernel.run(7_000)
    expect(told[1]?.[1]).toBe(true)
    a.send("b", "after")
    kernel.run(8_000)
    expect(b.texts()).toEqual(["after"])
  })

  it("delivers nothing to the dead, nor from them, and to the paused when they go on", () => {
    const { a, b, c, kernel } = connected()
    a.send("b", "to the dead")
    b.owner.alive = false
    b.send("a", "from the dead")
    c.owner.paused = true
    a.send("c", "to the paused")
    kernel.run(1_000)
    expect([a.texts(), b.texts(), c.texts()]).toEqual([[], [], []])
    c.owner.paused = false
    kernel.run(2_000)
    expect(c.texts()).toEqual(["to the paused"])
  })
})
