// Checks that a client whose answers are lost on the way does not blame its cluster for it.
import { describe, expect, it } from "vitest"
import { drawPlan } from "../../src/testing/simulator/DrawPlan.ts"
import { run } from "../../src/testing/simulator/Run.ts"

const seeds = [1, 2, 3]
/** Healing itself takes some time. */
const healingMillis = 1_000

/** Runs in which nothing goes wrong but that clients lose every answer that they may lose. */
const events = seeds.flatMap((seed) => {
  const plan = { ...drawPlan(seed), faults: [], answerLoss: 1, lateShare: 0, limits: {} }
  const { record: { events: all } } = run(plan)
  const startAt = Math.min(...all.map(({ invokedAt, operation }) => invokedAt - operation.atMillis))
  const healedAt = startAt + plan.chaosMillis + healingMillis
  return all.map((event) => ({ ...event, isHealed: event.invokedAt > healedAt }))
})

describe("a client that loses answers", () => {
  it("asks again, and hears the answer to its last sending", () => {
    const sendings = new Set(events.map((event) => event.sendings))
    expect(sendings).toContain(3)
    expect(events.filter(({ error }) => error?.startsWith("NoAnswer"))).toEqual([])
  })

  it("loses none in a healed cluster", () => {
    const healed = events.filter(({ isHealed }) => isHealed)
    expect(healed.length).toBeGreaterThan(0)
    expect(healed.filter(({ isNamed, sendings }) => sendings > 1 && !isNamed)).toEqual([])
  })
})
