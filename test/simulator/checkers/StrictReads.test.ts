// Histories with strict reads and writes, in order and not.
import { describe, expect, it } from "vitest"
import { strictReads } from "../../../src/testing/simulator/checkers/StrictReads.ts"
import type { Record } from "../../../src/testing/simulator/History.ts"
import { history, problems, shown } from "./histories.ts"

const written = {
  id: 1,
  action: { kind: "put", seen: "nothing" },
  stamp: 10,
  strict: true
} as const

/** A strict write, and a strict read at 20, which was shown `seen`. */
const read = (seen: ReadonlyArray<number>, changes: Partial<Record> = {}) =>
  history(
    "registers",
    [written, {
      id: 2,
      action: { kind: "read" },
      strict: true,
      result: seen.length === 0 ? shown(undefined, []) : shown("o1", seen, 10)
    }],
    shown("o1", [1], 10),
    changes
  )

const loss = (node: string, at = 18) => ({ node, at, document: undefined })

const losses = (document: string) => ({ losses: [{ node: "n1", at: 18, document }] })

const denied = ["o2 at n1 did not see o1, acknowledged before it"]

describe("a strict read", () => {
  it("that sees the write, or one that had seen it, is in order", () => {
    expect(problems(strictReads, read([1]))).toEqual([])
    expect(problems(strictReads, read([1, 7]))).toEqual([])
  })

  it("that does not see it is not, though the last reads do", () => {
    expect(problems(strictReads, read([]))).toEqual(denied)
  })

  it("is not in order either where one replica was lost, but where two were", () => {
    expect(problems(strictReads, read([], { losses: [loss("n1")] }))).toEqual(denied)
    expect(problems(strictReads, read([], { losses: [loss("n1"), loss("n1")] }))).toEqual(denied)
    expect(problems(strictReads, read([], { losses: [loss("n1"), loss("n3")] }))).toEqual([])
    // Lost before the write, or after the read.
    const others = [loss("n1", 2), loss("n3", 90)]
    expect(problems(strictReads, read([], { losses: others }))).toEqual(denied)
  })

  it("may miss a row that a disk lost without a trace, of this document only", () => {
    expect(problems(strictReads, read([], losses("registers/k")))).toEqual([])
    expect(problems(strictReads, read([], losses("registers/other")))).toEqual(denied)
  })

  it("is not judged where two processes run under one id", () => {
    expect(problems(strictReads, read([], { twinned: new Set(["n2"]) }))).toEqual([])
  })
})
