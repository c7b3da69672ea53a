// Checks the simulator's kernel: the order of tasks, and that a seed repeats it.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Kernel, outside, type Owner } from "../../src/testing/simulator/Kernel.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"

const kernelOf = (seed: number) => new Kernel(stream(seed, "schedule"))
const owner = (name: string): Owner => ({ name, alive: true, paused: false })

const orderOf = (seed: number) => {
  const kernel = kernelOf(seed)
  const order: Array<string> = []
  for (const name of ["a", "b", "c"]) {
    const one = owner(name)
    for (let i = 0; i < 4; i++) kernel.soon(one, () => order.push(`${name}${i}`))
  }
  kernel.run(0)
  return order
}

const traceOf = (noted: Uint8Array, time: number, seed = 1) => {
  const kernel = kernelOf(seed)
  const [a, b] = [owner("a"), owner("b")]
  kernel.at(a, time, () => kernel.noteBytes(noted))
  for (let i = 0; i < 8; i++) {
    kernel.soon(a, () => {})
    kernel.soon(b, () => {})
  }
  kernel.at(b, 5, () => {})
  kernel.run(10)
  return kernel.trace
}

describe("the kernel", () => {
  it("runs timers in the order of their times, and those of one time as they were set", () => {
    const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 100 })
    fc.assert(fc.property(times, (times) => {
      const kernel = kernelOf(1)
      const only = owner("a")
      const ran: Array<readonly [number, number]> = []
      times.forEach((time, index) => kernel.at(only, time, () => ran.push([time, index])))
      kernel.run(20)
      expect(ran).toEqual(times.map((time, i) => [time, i]).toSorted((a, b) => a[0]! - b[0]!))
    }))
  })

  it("never moves time while anything is ready", () => {
    const kernel = kernelOf(1)
    const [a, b] = [owner("a"), owner("b")]
    const seen: Array<number> = []
    kernel.at(b, 5, () => seen.push(kernel.now))
    const again = (left: number) => () => {
      seen.push(kernel.now)
      if (left > 0) kernel.soon(a, again(left - 1))
    }
    kernel.soon(a, again(3))
    kernel.run(10)
    expect(seen).toEqual([0, 0, 0, 0, 5])
    expect(kernel.now).toBe(10)
  })

  it("runs one owner's tasks in order, and interleaves owners by the seed", () => {
    const orders = Array.from({ length: 20 }, (_, seed) => orderOf(seed))
    for (const order of orders) {
      for (const name of ["a", "b", "c"]) {
        const own = order.filter((task) => task.startsWith(name))
        expect(own).toEqual([0, 1, 2, 3].map((i) => `${name}${i}`))
      }
    }
    expect(new Set(orders.map(String)).size).toBeGreaterThan(10)
    expect(Array.from({ length: 20 }, (_, seed) => orderOf(seed))).toEqual(orders)
  })

  it("runs no task of a dead owner, and keeps those of a paused one for later", () => {
    const kernel = kernelOf(1)
    const [dead, paused] = [owner("dead"), owner("paused")]
    const ran: Array<string> = []
    kernel.soon(dead, () => ran.push("dead at once"))
    kernel.at(dead, 5, () => ran.push("dead later"))
    kernel.soon(paused, () => ran.push("paused at once"))
    kernel.at(paused, 5, () => ran.push("paused later"))
    dead.alive = false
    paused.paused = true
    kernel.run(10)
    expect(ran).toEqual([])
    paused.paused = false
    kernel.run(20)
    expect(ran).toEqual(["paused at once", "paused later"])
  })

  it("does not run a task that was withdrawn", () => {
    const kernel = kernelOf(1)
    const ran: Array<string> = []
    const cancel = kernel.at(outside(), 5, () => ran.push("withdrawn"))
    cancel()
    kernel.run(10)
    expect(ran).toEqual([])
  })

  it("stops where it is told to, and breaks off a run without progress", () => {
    const kernel = kernelOf(1)
    const only = owner("a")
    let count = 0
    const forever = () => {
      count++
      kernel.soon(only, forever)
    }
    kernel.soon(only, forever)
    kernel.run(10, () => count === 3)
    expect(count).toBe(3)
    expect(kernel.now).toBe(0)
    expect(() => kernel.run(10, () => false, 1_000)).toThrow("a run ends within 1000 steps")
  })

  it("tells runs apart by their traces: by an order, a time, a byte", () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const trace = traceOf(bytes, 3)
    expect(traceOf(Uint8Array.of(1, 2, 3), 3)).toBe(trace)
    expect(traceOf(Uint8Array.of(1, 2, 4), 3)).not.toBe(trace)
    expect(traceOf(bytes, 7)).not.toBe(trace)
    expect(traceOf(bytes, 3, 2)).not.toBe(trace)
  })
})

const drawn = (seed: number, name: string) => {
  const random = stream(seed, name)
  return Array.from({ length: 8 }, () => random.next())
}

describe("a stream of chance", () => {
  it("is the same for the same seed and name, and another for another", () => {
    expect(drawn(1, "a")).toEqual(drawn(1, "a"))
    expect(drawn(1, "b")).not.toEqual(drawn(1, "a"))
    expect(drawn(2, "a")).not.toEqual(drawn(1, "a"))
  })

  it("draws integers of the whole range evenly, and chances as often as they say", () => {
    const random = stream(7, "even")
    const counts = [0, 0, 0, 0, 0]
    let chances = 0
    for (let i = 0; i < 10_000; i++) {
      counts[random.integer(0, 4)]!++
      if (random.chance(0.3)) chances++
    }
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200)
    expect(Math.abs(chances - 3_000)).toBeLessThan(200)
  })

  it("makes ids as nodes make them, none twice", () => {
    const random = stream(7, "ids")
    const ids = Array.from({ length: 1_000 }, () => random.id())
    for (const id of ids) expect(id).toMatch(/^[0-9a-z]{26}$/u)
    expect(new Set(ids).size).toBe(1_000)
  })
})
