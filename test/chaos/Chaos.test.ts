// Checks that real nodes lose and invent nothing while one is killed, one is stopped and the
// network is cut: five processes over three nats-servers, with short forms of the scenarios.
import { afterAll, beforeAll, expect, it } from "vitest"
import { describeWithNats } from "../tooling/natsServer.ts"
import { brokenOf } from "./promises.ts"
import { reportOf } from "./report.ts"
import { runOn } from "./run.ts"
import { startWorld, type World } from "./world.ts"

/** Five processes take this long to start on a machine that has much else to do. */
const timeout = 400_000
const seed = Math.floor(Math.random() * 1_000_000)
const load = { seed, perSecond: 30, keysOfEach: 3, settleSeconds: 30 }

describeWithNats("five nodes over three nats-servers break no promise", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ reach: "own" })
  }, timeout)
  afterAll(() => world?.stop(), timeout)

  it.each([
    ["kill", "while nodes are killed", { rounds: 1 }],
    ["stop", "while nodes stand still and go on", { rounds: 1, seconds: 3 }],
    ["partition", "while the network is cut into two sides", { seconds: 3 }]
  ])("%s: %s", async (name, _title, length) => {
    const figures = await runOn(world, name, { ...load, ...length })
    const shown = `seed ${seed}\n${reportOf([figures])}`
    console.info(shown)
    expect(brokenOf(figures), shown).toEqual([])
    expect(figures.faults.size).toBeGreaterThan(0)
    expect(figures.calls["w: 1"].acknowledged, shown).toBeGreaterThan(0)
  }, timeout)
})
