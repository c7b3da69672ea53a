// Checks that frames are known again, that unproved bytes teach nothing, and that memory is
// bounded.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { NodeId } from "../../src/core/model/Names.ts"
import { encode, type FrameHeader } from "../../src/transport/Frame.ts"
import { FrameWindow, FrameWindows } from "../../src/transport/FrameWindows.ts"

const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]

const frameOf = (senderIncarnation: string, number: number): Uint8Array => {
  const header: FrameHeader = {
    cluster: "test",
    partitionCount: 16,
    senderIncarnation,
    number,
    receiverIncarnation: "",
    clockMillis: 1
  }
  return encode(header, { _tag: "Whole", messages: new Uint8Array(0) })
}

const incarnation = (n: number): string => String(n).padStart(15, "0")

describe("a window", () => {
  it("takes each number once, and none that is older than all that it remembers", () => {
    const steps = fc.array(fc.oneof(fc.nat(30), fc.nat(300)), { maxLength: 200 })
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), steps, (size, numbers) => {
      const window = new FrameWindow(size)
      const taken = new Set<number>()
      for (const number of numbers) {
        const greatest = Math.max(-1, ...taken)
        const isNew = !taken.has(number) && number > greatest - size
        expect(window.isNew(number)).toBe(isNew)
        if (!isNew) continue
        window.take(number)
        taken.add(number)
      }
    }))
  })

  it("jumps to any number at once", () => {
    const window = new FrameWindow(4_096)
    window.take(3)
    window.take(2 ** 48 - 1)
    expect(window.isNew(2 ** 48 - 1)).toBe(false)
    expect(window.isNew(2 ** 48 - 2)).toBe(true)
    expect(window.isNew(4)).toBe(false)
  })
})

describe("the windows of all senders", () => {
  const limits = { frameWindow: 64, frameWindowsMax: 2 }

  it("know a frame by its sender, its incarnation and its number", () => {
    const windows = new FrameWindows(limits)
    windows.take(n1, incarnation(1), 5)
    expect(windows.isRepeat(n1, frameOf(incarnation(1), 5))).toBe(true)
    expect(windows.isRepeat(n1, frameOf(incarnation(1), 6))).toBe(false)
    expect(windows.isRepeat(n1, frameOf(incarnation(2), 5))).toBe(false)
    expect(windows.isRepeat(n2, frameOf(incarnation(1), 5))).toBe(false)
  })

  it("learn nothing from bytes that are not proved", () => {
    const windows = new FrameWindows(limits)
    for (let number = 0; number < 100; number++) {
      expect(windows.isRepeat(n1, frameOf(incarnation(1), number))).toBe(false)
      expect(windows.isRepeat(n1, Uint8Array.of(number))).toBe(false)
    }
    expect(windows.bytes).toBe(0)
  })

  it("remember of each sender the incarnations heard last, however many there are", () => {
    const windows = new FrameWindows(limits)
    for (let n = 0; n < 1_000; n++) {
      windows.take(n1, incarnation(n), 1)
      windows.take(n1, incarnation(0), n + 2)
    }
    expect(windows.isRepeat(n1, frameOf(incarnation(0), 1_001))).toBe(true)
    expect(windows.isRepeat(n1, frameOf(incarnation(999), 1))).toBe(true)
    expect(windows.bytes).toBeLessThan(1_000)
  })

  it("forget a sender that is no member any more", () => {
    const windows = new FrameWindows(limits)
    windows.take(n1, incarnation(1), 1)
    windows.take(n2, incarnation(1), 1)
    const { bytes } = windows
    windows.retain((node) => node === n2)
    expect(windows.bytes).toBe(bytes / 2)
    expect(windows.isRepeat(n1, frameOf(incarnation(1), 1))).toBe(false)
    expect(windows.isRepeat(n2, frameOf(incarnation(1), 1))).toBe(true)
  })
})
