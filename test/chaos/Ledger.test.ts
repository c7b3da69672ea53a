// Checks that the account of writes finds what is lost and what nobody wrote.
import { describe, expect, it } from "vitest"
import {
  type Account,
  acknowledgedBefore,
  judgeAll,
  judgeCount,
  judgeLast,
  type Outcome
} from "./ledger.ts"

/** One write after the other, a second each. */
const accountOf = (outcomes: Readonly<Record<string, Outcome>>): Account =>
  new Map(
    Object.entries(outcomes).map(([token, outcome], i) => [
      token,
      { begunAt: 1_000 * i, endedAt: 1_000 * i + 10, outcome }
    ])
  )

const account = accountOf({ a: "acknowledged", b: "unknown", c: "refused", d: "acknowledged" })

describe("a set", () => {
  it("may have a write in doubt or not", () => {
    expect(judgeAll(account, new Set("ad"))).toEqual({ lost: [], wrong: [] })
    expect(judgeAll(account, new Set("abd"))).toEqual({ lost: [], wrong: [] })
  })

  it("has lost an acknowledged write that is absent", () => {
    expect(judgeAll(account, new Set("a"))).toEqual({ lost: ["d"], wrong: [] })
  })

  it("is wrong where it shows a refused write, or one that nobody made", () => {
    expect(judgeAll(account, new Set("acdx")).wrong).toEqual(["c", "x"])
  })
})

it("a counter lies between the acknowledged writes and those that may have applied", () => {
  const verdicts = [1, 2, 3, 4].map((count) => judgeCount(account, count))
  expect(verdicts.map(({ lost, wrong }) => [lost.length, wrong.length]))
    .toEqual([[1, 0], [0, 0], [0, 0], [0, 1]])
})

describe("a register where the last write wins", () => {
  it("shows the last acknowledged write, or one in doubt", () => {
    expect(judgeLast(account, "d")).toEqual({ lost: [], wrong: [] })
    expect(judgeLast(account, "b")).toEqual({ lost: [], wrong: [] })
  })

  it("has lost a write that began after the end of the one it shows", () => {
    expect(judgeLast(account, "a")).toEqual({ lost: ["d"], wrong: [] })
    expect(judgeLast(account, undefined).lost).toEqual(["d"])
  })

  it("is wrong where it shows a refused write, or one that nobody made", () => {
    expect(judgeLast(account, "c").wrong).toEqual(["c"])
    expect(judgeLast(account, "x").wrong).toEqual(["x"])
  })
})

it("a read need not show a write that was acknowledged after it began", () => {
  expect(judgeAll(acknowledgedBefore(account, 3_005), new Set("a")).lost).toEqual([])
  expect(judgeAll(acknowledgedBefore(account, 3_020), new Set("a")).lost).toEqual(["d"])
})
