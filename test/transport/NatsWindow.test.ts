// Checks that the outbound window stays bounded, and that confirmations open it again.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { NatsWindow } from "../../src/transport/NatsWindow.ts"

const limits = (waitingBytesMax: number) => ({ ...lan.nats, waitingBytesMax })

/** A broker that answers probes when told to. */
const probes = () => {
  const waiting: Array<() => void> = []
  const probe = (): Promise<void> => new Promise((resolve) => void waiting.push(resolve))
  const answerAll = async (): Promise<void> => {
    for (const answer of waiting.splice(0)) answer()
    await Promise.resolve()
  }
  return { probe, answerAll, waiting }
}

describe("the outbound window", () => {
  it("never holds more than its limit and one message", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 2_000 })), (sizes) => {
      const window = new NatsWindow(limits(10_000), probes().probe)
      let sent = 0
      for (const size of sizes) {
        if (window.isFull) continue
        window.add(size)
        sent += size
      }
      expect(sent).toBeLessThan(10_000 + 2_000)
    }))
  })

  it("opens again when the broker confirms, however full it was", async () => {
    const { answerAll, probe } = probes()
    const window = new NatsWindow(limits(10_000), probe)
    for (let round = 0; round < 20; round++) {
      while (!window.isFull) window.add(700)
      await answerAll()
      expect(window.isFull).toBe(false)
    }
  })

  it("takes a message larger than itself when little waits", async () => {
    const { answerAll, probe } = probes()
    const window = new NatsWindow(limits(1_000), probe)
    window.add(50_000)
    expect(window.isFull).toBe(true)
    await answerAll()
    expect(window.isFull).toBe(false)
  })

  it("starts empty on a new connection, where old confirmations count for nothing", async () => {
    const { answerAll, probe } = probes()
    const window = new NatsWindow(limits(1_000), probe)
    window.add(5_000)
    window.reset()
    expect(window.isFull).toBe(false)
    await answerAll()
    window.add(900)
    window.add(99)
    expect(window.isFull).toBe(false)
    window.add(1)
    expect(window.isFull).toBe(true)
  })

  it("a probe that fails with its connection is no unhandled failure", async () => {
    const window = new NatsWindow(limits(1_000), () => Promise.reject(new Error("disconnected")))
    window.add(5_000)
    await Promise.resolve()
    window.reset()
    expect(window.isFull).toBe(false)
  })
})

const answers = (waitingAnswerBytesMax: number, waitingBytesMax = 2 * waitingAnswerBytesMax) =>
  new NatsWindow({ ...lan.nats, waitingBytesMax, waitingAnswerBytesMax }, probes().probe)

/** Sends where there is room, as the transport does. */
const send = (window: NatsWindow, address: string, bytes: number): boolean => {
  if (bytes > window.answerRoom(address)) return false
  window.add(bytes, address)
  return true
}

describe("the part of the outbound window for answers", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 200 })

  it("leaves half of it to others, whatever one client that reads nothing asks for", () => {
    fc.assert(fc.property(sizes, (drawn) => {
      const window = answers(10_000)
      for (const size of drawn) send(window, "hog", size)
      expect(send(window, "other", 2_400)).toBe(true)
      expect(send(window, "other", 1)).toBe(true)
    }))
  })

  it("leaves room for one more client, however many read nothing", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), sizes, (count, drawn) => {
      const window = answers(100_000)
      for (let round = 0; round < 10; round++) {
        for (const [i, size] of drawn.entries()) send(window, `hog ${i % count}`, size)
      }
      // Each client may go over its share by one answer, and those who sent before by the others'.
      const share = 100_000 / (count + 1) - 6_000
      expect(window.answerRoom("other")).toBeGreaterThanOrEqual(share / 2)
    }))
  })

  it("leaves the rest of the window to messages that are no answers", () => {
    fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 40 }), (drawn, count) => {
      const window = answers(10_000, 14_000)
      for (const [i, size] of drawn.entries()) send(window, `hog ${i % count}`, size)
      let taken = 0
      for (; !window.isFull; taken += 100) window.add(100)
      expect(taken).toBeGreaterThanOrEqual(4_000)
    }))
  })

  it("is counted as confirmed in any order of sizes, addresses and confirmations", async () => {
    await fc.assert(fc.asyncProperty(sizes, async (drawn) => {
      const { answerAll, probe } = probes()
      const limited = { ...lan.nats, waitingBytesMax: 20_000, waitingAnswerBytesMax: 10_000 }
      const window = new NatsWindow({ ...limited, probeBytes: 1 }, probe)
      for (const [i, size] of drawn.entries()) {
        send(window, `client ${i % 3}`, size)
        if (i % 7 === 0) await answerAll()
      }
      await answerAll()
      for (const address of ["client 0", "client 1", "client 2", "other"]) {
        expect(window.answerRoom(address)).toBe(Infinity)
      }
      window.add(1, "client 0")
    }))
  })

  it("takes an answer larger than itself while little waits", () => {
    const window = answers(1_000, 100_000)
    expect(send(window, "client", 50_000)).toBe(true)
    expect(send(window, "client", 1)).toBe(false)
  })
})
