// Checks that simulated code cannot use the machine's clock or chance unnoticed, and that other
// code can again.
import { describe, expect, it } from "vitest"
import { tripwired, Unrepeatable } from "../../src/testing/Tripwires.ts"

const ways: ReadonlyArray<readonly [string, () => unknown]> = [
  ["Math.random", () => Math.random()],
  ["Date.now", () => Date.now()],
  ["new Date", () => new Date()],
  ["Date as a function", () => Date()],
  ["performance.now", () => performance.now()],
  ["crypto.randomUUID", () => crypto.randomUUID()],
  ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1))],
  ["process.nextTick", () => process.nextTick(() => {})],
  ["process.hrtime", () => process.hrtime()],
  ["setTimeout", () => setTimeout(() => {}, 0)],
  ["setInterval", () => clearInterval(setInterval(() => {}, 1_000))],
  ["setImmediate", () => setImmediate(() => {})],
  ["queueMicrotask", () => queueMicrotask(() => {})],
  ["a new promise", () => new Promise(() => {})],
  ["the continuation of a promise", () => settled.then(() => {})]
]

const settled = Promise.resolve()

describe("while a simulation runs", () => {
  it.each(ways)("%s is refused, and comes back", (_, use) => {
    expect(() => tripwired(use)).toThrow(Unrepeatable)
    expect(use).not.toThrow()
  })

  it("everything else works, and its result is forwarded", () => {
    expect(tripwired(() => [1, 2].map((n) => n * 2))).toEqual([2, 4])
    expect(tripwired(() => new Date(0).toISOString())).toBe("1970-01-01T00:00:00.000Z")
  })

  it("an error passes through, and the machine's clock comes back", () => {
    const thrown = new Error("of the simulation")
    expect(() =>
      tripwired(() => {
        throw thrown
      })
    ).toThrow(thrown)
    expect(Date.now()).toBeGreaterThan(0)
  })
})
