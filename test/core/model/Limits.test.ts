// Presets of limits: each is complete, and its limits fit each other.
import { describe, expect, it } from "vitest"
import { lan, presetNames, presets } from "../../../src/core/model/Limits.ts"
import { repository } from "../../house/Source.ts"

const groups = ["node", "client", "http", "nats", "broker"] as const

describe.each(presetNames)("the limits of %s", (name) => {
  const preset = presets[name]
  const { broker, client, http, nats, node } = preset

  it.each(groups)("have each field for %s, a positive whole number", (group) => {
    expect(Object.keys(preset[group]).sort()).toEqual(Object.keys(lan[group]).sort())
    for (const [field, value] of Object.entries<number>({ ...preset[group] })) {
      expect(Number.isSafeInteger(value) && value > 0, field).toBe(true)
    }
  })

  it("let a node answer before its client gives up", () => {
    expect(client.readTimeoutMillis).toBeGreaterThan(
      node.readTimeoutMillis + node.forwardGraceMillis
    )
    expect(client.writeTimeoutMillis).toBeGreaterThan(
      node.writeTimeoutMillis + node.forwardGraceMillis
    )
    expect(client.graceMillis).toBeGreaterThan(node.forwardGraceMillis)
    expect(client.askTimeoutMillis).toBeGreaterThan(
      node.readTimeoutMillis + node.forwardGraceMillis
    )
    expect(node.drainTimeoutMillis).toBeGreaterThanOrEqual(client.writeTimeoutMillis)
    expect(node.drainTimeoutMillis).toBeLessThan(30_000)
  })

  it("send a request again at least once in its time", () => {
    for (const limits of [node, client]) {
      expect(limits.sweepMillis).toBeLessThan(limits.resendMinMillis)
      expect(limits.resendMinMillis).toBeLessThanOrEqual(limits.firstPauseMillis)
      expect(limits.firstPauseMillis).toBeLessThanOrEqual(limits.resendMaxMillis)
      expect(limits.firstPauseMillis).toBeLessThanOrEqual(limits.readTimeoutMillis / 2)
      expect(limits.resendMaxMillis).toBeLessThanOrEqual(limits.writeTimeoutMillis / 2)
    }
  })

  it("suspect a node after several pauses, and wait for slow replicas at least as long", () => {
    expect(node.suspectMillis).toBeGreaterThan(node.resendMinMillis * 2)
    expect(node.lateReplyMillis).toBeGreaterThanOrEqual(node.suspectMillis)
    expect(node.drainPollMillis).toBeLessThan(node.drainTimeoutMillis)
  })

  it("greet a peer before it is suspect, and believe a clock over several greetings", () => {
    expect(node.greetMillis).toBeLessThan(node.suspectMillis)
    expect(node.clockWindowMillis).toBeGreaterThan(4 * node.greetMillis)
    expect(node.clockWindowMillis / node.clockSamplesMax).toBeGreaterThan(node.greetMillis)
    expect(node.probeMillis).toBeLessThan(node.processCheckMillis)
  })

  it("ask for missing parts while their sender keeps them, more than once in a request", () => {
    const asking = node.partsPauseMillis * (2 ** node.partsAsksMax - 1)
    expect(asking).toBeLessThan(node.sentRunMillis)
    expect(3 * node.partsPauseMillis).toBeLessThan(node.readTimeoutMillis)
    expect(node.sentRunsBytesMax).toBeGreaterThan(broker.maxPayload)
  })

  it("give the storage room for the groups under way", () => {
    const { groupBytesMax, groupChangesMax, groupsInFlightMax } = node
    expect(node.waitingChangesMax).toBeGreaterThan(groupChangesMax * groupsInFlightMax)
    expect(node.waitingBytesMax).toBeGreaterThanOrEqual(groupBytesMax * groupsInFlightMax)
    expect(node.storageBytesMax).toBeGreaterThan(node.waitingBytesMax)
  })

  it("give frames room in a message, and messages room among those in parts", () => {
    expect(node.frameBufferBytes).toBeLessThan(node.frameBytesTarget)
    expect(node.frameBytesTarget).toBeLessThan(broker.maxPayload)
    expect(node.spareBytesMax).toBeGreaterThan(node.frameBytesTarget)
    expect(node.reassemblyBytesMax).toBeGreaterThan(broker.maxPayload)
    expect(client.batchBytesTarget).toBeLessThan(broker.maxPayload)
    expect(http.bodyBytesMax).toBeLessThanOrEqual(broker.maxPayload)
    expect(broker.waitingBytesMax).toBeGreaterThan(broker.maxPayload)
    expect(broker.copiedBytesMax).toBeLessThanOrEqual(broker.blockBytes)
    expect(nats.waitingBytesMax).toBeGreaterThan(4 * nats.probeBytes)
  })
})

describe("the limits of wan", () => {
  const roundTripMillis = 300
  const { client, nats, node } = presets.wan

  it("outlast round trips of 300 ms", () => {
    expect(node.resendMinMillis).toBeGreaterThan(roundTripMillis)
    expect(client.resendMinMillis).toBeGreaterThan(roundTripMillis)
    expect(node.firstPauseMillis).toBeGreaterThanOrEqual(4 * roundTripMillis)
    expect(node.forwardGraceMillis).toBeGreaterThan(roundTripMillis)
    expect(node.skewMillis - lan.node.skewMillis).toBeGreaterThan(roundTripMillis)
    // A connection begins with several round trips: TCP, TLS, the protocol.
    expect(nats.connectTimeoutMillis).toBeGreaterThan(5 * roundTripMillis)
  })

  it("hold at 300 ms as many bytes on their way as those of lan at 100 ms", () => {
    expect(nats.waitingBytesMax).toBe(3 * lan.nats.waitingBytesMax)
  })
})

it.each(groups)("each limit of a %s is read where it takes effect", (group) => {
  const readers = repository().filter(({ path }) =>
    /^src\/.*\.ts$/u.test(path) && !/Limits\.ts$|^src\/testing\//u.test(path)
  )
  const text = readers.map((file) => file.text).join("\n")
  // In quotes it is only the name of a type's field.
  const unread = Object.keys(lan[group]).filter((field) =>
    !new RegExp(`(?<!")\\b${field}\\b(?!")`, "u").test(text)
  )
  expect(unread).toEqual([])
})
