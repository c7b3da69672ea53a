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
