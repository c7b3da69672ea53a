// Checks that runs are whole again after any order of their parts, and that waiting parts are
// bounded under any input.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Reassembly from "../../src/transport/Reassembly.ts"
import { indexesOf } from "../../src/transport/SentRuns.ts"

const limits = { bytesMax: 100_000, partsMax: 64 }

const split = (
  run: Uint8Array,
  options: { readonly transfer: number; readonly count: number; readonly sender?: string }
): ReadonlyArray<Reassembly.Part> => {
  const { count, sender = "n2 incarnation", transfer } = options
  const room = Math.ceil(run.length / count)
  return Array.from({ length: count }, (_, index) => ({
    sender,
    transfer,
    index,
    count,
    bytes: run.subarray(index * room, (index + 1) * room)
  }))
}

const runOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251)

describe("reassembly", () => {
  it("gives each run once, whole, in any order of parts and repeats", () => {
    const runs = fc.array(fc.integer({ min: 2, max: 8 }), { minLength: 1, maxLength: 4 })
    fc.assert(fc.property(runs, fc.infiniteStream(fc.nat()), (counts, choices) => {
      const sent = counts.map((count, i) => runOf(count * 5 - i, i))
      const open = counts.flatMap((count, i) => [...split(sent[i]!, { transfer: i, count })])
      const reassembly = Reassembly.make(limits)
      const whole: Array<readonly [number, ReadonlyArray<number>]> = []
      const seen: Array<Reassembly.Part> = []
      while (open.length > 0) {
        const [part] = open.splice(choices.next().value! % open.length, 1)
        const repeat = seen[choices.next().value! % Math.max(seen.length, 1)]
        for (const each of repeat === undefined ? [part!] : [repeat, part!]) {
          const run = reassembly.add(each)
          if (run !== undefined) whole.push([each.transfer, [...run]])
        }
        // Repeats of a whole run would begin it anew: it is done, and waits for nothing.
        if (!open.some(({ transfer }) => transfer === part!.transfer)) {
          seen.splice(0, seen.length, ...seen.filter((s) => s.transfer !== part!.transfer))
        } else seen.push(part!)
      }
      const expected = sent.map((run, i) => [i, [...run]])
      expect(whole.sort((a, b) => a[0] - b[0])).toEqual(expected)
      expect(reassembly.waitingBytes()).toBe(0)
      expect(reassembly.abandoned()).toBe(0)
    }))
  })

  it("keeps runs of different senders, incarnations and lengths apart if numbered alike", () => {
    const reassembly = Reassembly.make(limits)
    const [a, b] = [runOf(40, 1), runOf(40, 2)]
    const ofA = split(a, { transfer: 1, count: 2, sender: "n2 early" })
    const ofB = split(b, { transfer: 1, count: 2, sender: "n2 late" })
    const ofC = split(a, { transfer: 1, count: 4, sender: "n2 late" })
    expect(reassembly.add(ofA[0]!)).toBeUndefined()
    expect(reassembly.add(ofB[1]!)).toBeUndefined()
    expect(reassembly.add(ofC[0]!)).toBeUndefined()
    expect(reassembly.add(ofB[0]!)).toEqual(Buffer.from(b))
    expect(reassembly.add(ofA[1]!)).toEqual(Buffer.from(a))
  })

  it.each([
    ["bytes", (bytes: Uint8Array) => new Uint8Array(bytes)],
    ["a Buffer, whose slices are views", (bytes: Uint8Array) => Buffer.from(bytes)]
  ])(
    "keeps its own copy of a part in %s, since the transport reuses its buffers",
    (_, copy) => {
      const reassembly = Reassembly.make(limits)
      const run = runOf(20, 3)
      const [first, second] = split(run, { transfer: 1, count: 2 })
      const buffer = copy(first!.bytes)
      reassembly.add({ ...first!, bytes: buffer })
      buffer.fill(0)
      expect(reassembly.add(second!)).toEqual(Buffer.from(run))
    }
  )

  it("gives up the oldest runs where too much waits, and counts them", () => {
    const reassembly = Reassembly.make(limits)
    const parts = Array.from(
      { length: 5 },
      (_, transfer) => split(runOf(60_000, transfer), { transfer, count: 2 })
    )
    for (const [first] of parts) reassembly.add(first!)
    expect(reassembly.waitingBytes()).toBeLessThanOrEqual(limits.bytesMax)
    expect(reassembly.abandoned()).toBe(2)
    expect(reassembly.add(parts[4]![1]!)).toHaveLength(60_000)
    expect(reassembly.add(parts[0]![1]!)).toBeUndefined()
  })

  it("gives up a run that alone would be too much", () => {
    const reassembly = Reassembly.make(limits)
    const parts = split(runOf(limits.bytesMax * 2, 1), { transfer: 1, count: 64 })
    for (const part of parts) expect(reassembly.add(part)).toBeUndefined()
    expect(reassembly.waitingBytes()).toBeLessThanOrEqual(limits.bytesMax)
    expect(reassembly.abandoned()).toBeGreaterThan(0)
    const other = split(runOf(60_000, 2), { transfer: 2, count: 2 })
    reassembly.add(other[0]!)
    expect(reassembly.add(other[1]!)).toHaveLength(60_000)
  })

  it("takes no run of more parts than it allows", () => {
    const reassembly = Reassembly.make(limits)
    const [first] = split(runOf(650, 1), { transfer: 1, count: 65 })
    expect(reassembly.add(first!)).toBeUndefined()
    expect(reassembly.waitingBytes()).toBe(0)
    expect(reassembly.abandoned()).toBe(1)
  })

  it("bounds the bookkeeping about very small runs, too", () => {
    const reassembly = Reassembly.make({ bytesMax: 10_000, partsMax: 64 })
    const bytes = Uint8Array.of(1)
    for (let transfer = 0; transfer < 1000; transfer++) {
      reassembly.add({ sender: "n2 incarnation", transfer, index: 0, count: 64, bytes })
    }
    expect(reassembly.abandoned()).toBeGreaterThan(900)
    expect(reassembly.waitingBytes()).toBeLessThanOrEqual(10_000)
  })
})

describe("the bytes that wait", () => {
  const bytes = Uint8Array.of(1)

  it("are those of a sender's name, too", () => {
    const reassembly = Reassembly.make(limits)
    reassembly.add({ sender: "n".repeat(10_000), transfer: 1, index: 0, count: 2, bytes })
    expect(reassembly.waitingBytes()).toBeGreaterThan(10_000)
  })

  it("are those of the objects that hold parts of one byte, too", () => {
    const reassembly = Reassembly.make(limits)
    for (let index = 0; index < 63; index++) {
      reassembly.add({ sender: "n2", transfer: 1, index, count: 64, bytes })
    }
    expect(reassembly.waitingBytes()).toBeGreaterThan(63 * 100)
  })
})

describe("a run of which parts are missing", () => {
  const asking = { ...limits, asksMax: 3, finishedMax: 2 }

  it("asks for these alone, once no part came for a whole pause", () => {
    const reassembly = Reassembly.make(asking)
    const parts = split(runOf(90, 1), { transfer: 7, count: 9 })
    for (const index of [0, 3, 8]) reassembly.add(parts[index]!)
    expect(reassembly.sweep()).toEqual([])
    reassembly.add(parts[4]!)
    expect(reassembly.sweep()).toEqual([])
    const [ask, ...more] = reassembly.sweep()
    expect(more).toEqual([])
    expect(ask).toMatchObject({ sender: "n2 incarnation", transfer: 7, count: 9 })
    expect(indexesOf(ask!)).toEqual([1, 2, 5, 6, 7])
  })

  it("asks again after longer and longer pauses, and is then forgotten", () => {
    const reassembly = Reassembly.make(asking)
    reassembly.add(split(runOf(90, 1), { transfer: 7, count: 9 })[0]!)
    const asked = Array.from({ length: 40 }, () => reassembly.sweep().length)
    expect(asked.map((count, sweep) => count * sweep).filter((sweep) => sweep > 0))
      .toEqual([1, 4, 9])
    expect(reassembly.waitingBytes()).toBe(0)
    expect(reassembly.abandoned()).toBe(1)
    expect(reassembly.isIdle()).toBe(true)
  })

  it("begins nothing anew by a late part once it is whole, until the next pause but one", () => {
    const reassembly = Reassembly.make(asking)
    const parts = split(runOf(40, 1), { transfer: 7, count: 2 })
    for (const part of parts) reassembly.add(part)
    reassembly.add(parts[0]!)
    expect(reassembly.waitingBytes()).toBe(0)
    reassembly.sweep()
    expect(reassembly.add(parts[0]!)).toBeUndefined()
    reassembly.sweep()
    expect(reassembly.isIdle()).toBe(true)
    reassembly.add(parts[0]!)
    expect(reassembly.add(parts[1]!)).toHaveLength(40)
  })

  it("comes whole in the end, whatever is lost and however little memory there is", () => {
    const drawn = fc.record({
      counts: fc.array(fc.integer({ min: 2, max: 30 }), { minLength: 1, maxLength: 6 }),
      bytesMax: fc.integer({ min: 4_000, max: 15_000 }),
      losses: fc.array(fc.boolean(), { minLength: 20, maxLength: 60 })
    })
    fc.assert(fc.property(drawn, ({ bytesMax, counts, losses }) => {
      const reassembly = Reassembly.make({ bytesMax, partsMax: 64, asksMax: 20, finishedMax: 10 })
      const runs = counts.map((count, transfer) =>
        split(runOf(count * 15, transfer), { transfer, count })
      )
      const whole = new Set<number>()
      let sent = 0
      const send = (part: Reassembly.Part) => {
        const isLost = losses[sent++] ?? false
        if (isLost) return
        if (reassembly.add(part) !== undefined) whole.add(part.transfer)
        expect(reassembly.waitingBytes()).toBeLessThanOrEqual(bytesMax)
      }
      for (let round = 0; round < 8 && whole.size < runs.length; round++) {
        // Where all of a run was lost, or its memory, its request sends it again.
        runs.forEach((parts, transfer) => !whole.has(transfer) && parts.forEach(send))
        for (let sweeps = 0; sweeps < 100; sweeps++) {
          for (const ask of reassembly.sweep()) {
            for (const index of indexesOf(ask)) send(runs[ask.transfer]![index]!)
          }
        }
      }
      expect(whole.size).toBe(runs.length)
    }))
  })
})
