// Gossip, pings and greetings cost a node about as much among a hundred nodes as among ten, and are
// as fast. `test/bench/gossip.ts` has the figures up to a thousand.
import { describe, expect, it } from "vitest"
import { WatchModel } from "./WatchModel.ts"

const quietFrom = 4_000

describe.each([3, 10, 40, 100])("of %i nodes", (size) => {
  const quiet = () => {
    const model = new WatchModel(size, size, { isSettled: true })
    model.pass(quietFrom)
    return model
  }

  it("one that dies is believed down by all others within 3 s, at any moment", () => {
    const model = quiet()
    for (const [turn, dead] of model.members.slice(1, Math.min(size / 3, 4) + 1).entries()) {
      model.pass(137 * turn)
      model.kill(dead)
      const living = model.members.filter(({ owner }) => owner.alive)
      model.pass(3_000)
      expect(model.believing(dead, "down")).toBe(living.length)
    }
  })

  it("a change is known to all within 2 s", () => {
    const model = quiet()
    const [first] = model.members
    model.change(first!)
    model.pass(2_000)
    expect(model.knowing(first!)).toBe(size)
  })

  it("none sends more than 4 KB a second over ten seconds, whether one dies or not", () => {
    const model = quiet()
    model.pass(10_000)
    model.kill(model.members[0]!)
    model.pass(10_000)
    for (const { bytes } of model.members) {
      for (const from of [quietFrom / 1_000, quietFrom / 1_000 + 10]) {
        const sent = bytes.slice(from, from + 10).reduce((sum, second) => sum + second, 0)
        expect(sent / 10).toBeLessThanOrEqual(4_096)
      }
    }
  })

  it("none gossips for more than 4 KB in any second, whether one dies, or all start", () => {
    const started = new WatchModel(size, size)
    started.pass(20_000)
    const model = quiet()
    model.kill(model.members[0]!)
    model.pass(20_000)
    for (const { gossip } of [...started.members, ...model.members]) {
      expect(Math.max(...gossip.filter((bytes) => bytes > 0))).toBeLessThanOrEqual(4_096)
    }
  })

  it("a suspicion is told no more when all know it", () => {
    const model = quiet()
    model.kill(model.members[0]!)
    model.pass(20_000)
    expect(model.gossiped.suspicions).toBeGreaterThan(0)
    const before = model.gossiped.suspicions
    model.pass(20_000)
    expect(model.gossiped.suspicions).toBe(before)
  })
})
