// Shrinks made-up plans by made-up judges: the rest must be exactly what the failure needs.
import { describe, expect, it } from "vitest"
import { drawPlan } from "../../src/testing/simulator/DrawPlan.ts"
import type { Violation } from "../../src/testing/simulator/History.ts"
import type { Plan } from "../../src/testing/simulator/Plan.ts"
import { shrink } from "../../src/testing/simulator/Shrink.ts"

const wrong: Violation = { checker: "made up", bucket: "notes", key: "notes0", problem: "wrong" }

const judgeOf = (fails: (plan: Plan) => boolean) => (plan: Plan): ReadonlyArray<Violation> =>
  fails(plan) ? [wrong] : []

const idsOf = (plan: Plan) => plan.operations.map(({ id }) => id)

/** A drawn plan with some faults, whatever they are. */
const plan: Plan = {
  ...drawPlan(1),
  answerLoss: 0.2,
  faults: Array.from({ length: 20 }, (_, id) => ({
    id,
    fault: id % 2 === 0 ? "crash" : "loss",
    atMillis: 100 * id,
    forMillis: 1_000,
    node: "n1",
    other: "n2",
    amount: 0.5
  }))
}
const [first, , third, , , sixth] = idsOf(plan)

const needs = (ids: ReadonlyArray<number | undefined>) => (candidate: Plan) =>
  ids.every((id) => idsOf(candidate).some((other) => other === id))

const lastsLong = ({ faults }: Plan) =>
  faults.some(({ forMillis, id }) => id === 7 && forMillis > 9)

const isLucky = ({ operations, seed }: Plan) => operations.length > 2 || seed % 5 === 0

const fails = (candidate: Plan) => needs([first])(candidate) && isLucky(candidate)

describe("a failing plan", () => {
  it("keeps the operations that its failure needs, and nothing else", () => {
    const judge = judgeOf(needs([first, third, sixth]))
    const shrunk = shrink(plan, wrong, { judge, runsMax: 10_000 })
    expect(idsOf(shrunk.plan)).toEqual([first, third, sixth])
    expect(shrunk.plan.faults).toEqual([])
    expect(shrunk.plan.nodes).toHaveLength(3)
    expect(new Set(shrunk.plan.operations.map(({ session }) => session)).size).toBe(1)
    expect(shrunk.plan).toMatchObject({ answerLoss: 0, guarded: [], cacheBytesMax: 0 })
    const times = shrunk.plan.operations.map(({ atMillis }) => atMillis)
    expect(Math.min(...times)).toBe(0)
    expect(shrunk.plan.chaosMillis).toBe(Math.max(...times) + 1)
  })

  it("keeps the fault that its failure needs, as short as it may be", () => {
    const { plan: { faults, operations } } = shrink(plan, wrong, { judge: judgeOf(lastsLong) })
    expect(operations).toEqual([])
    expect(faults).toMatchObject([{ id: 7, fault: "loss" }])
    expect(faults[0]?.forMillis).toBeLessThan(20)
  })

  it("keeps failing the same checker, and not another", () => {
    const judge = (candidate: Plan): ReadonlyArray<Violation> => [
      { ...wrong, checker: "another" },
      ...(needs([third])(candidate) ? [{ ...wrong, problem: `${idsOf(candidate).length}` }] : [])
    ]
    const shrunk = shrink(plan, wrong, { judge })
    expect(idsOf(shrunk.plan)).toEqual([third])
    expect(shrunk.violation).toEqual({ ...wrong, problem: "1" })
  })

  it("is tried under other seeds where less of it fails by luck only", () => {
    const shrunk = shrink(plan, wrong, { judge: judgeOf(fails), runsMax: 10_000 })
    expect(idsOf(shrunk.plan)).toEqual([first])
    expect(fails(shrunk.plan)).toBe(true)
  })
})

describe("shrinking", () => {
  it("runs no more plans than it may", () => {
    let runs = 0
    const judge = (candidate: Plan) => {
      runs++
      return judgeOf(needs([first, sixth]))(candidate)
    }
    const shrunk = shrink(plan, wrong, { judge, runsMax: 7 })
    expect([runs, shrunk.runs]).toEqual([7, 7])
    expect(judge(shrunk.plan)).toEqual([wrong])
  })

  it("leaves a plan as it is where everything in it is needed", () => {
    const shrunk = shrink(plan, wrong, { judge: judgeOf((candidate) => candidate === plan) })
    expect(shrunk.plan).toBe(plan)
    expect(shrunk.violation).toBe(wrong)
  })
})
