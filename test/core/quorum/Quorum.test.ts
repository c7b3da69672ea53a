// Checks how names and numbers, of a bucket and of a request, become counts.
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { InvariantViolation } from "../../../src/core/Invariant.ts"
import { Consistency, Durability, Replicas } from "../../../src/core/model/Settings.ts"
import {
  type ReadNeeds,
  replicasMax,
  resolveRead,
  resolveWrite,
  type WriteNeeds
} from "../../../src/core/quorum/Quorum.ts"
import { range } from "./NodesModel.ts"

const majority = (n: number): number => Math.floor(n / 2) + 1

const read = (options: Parameters<typeof resolveRead>[0]): ReadNeeds => {
  const resolved = resolveRead(options)
  if (resolved._tag === "Unmeetable") throw new Error(`refused ${resolved.setting}`)
  return resolved
}

const write = (
  { durability = "synced", ...options }: Omit<Parameters<typeof resolveWrite>[0], "durability"> & {
    readonly durability?: Durability
  }
): WriteNeeds => {
  const resolved = resolveWrite({ ...options, durability })
  if (resolved._tag === "Unmeetable") throw new Error(`refused ${resolved.setting}`)
  return resolved
}

const levels = [undefined, ...Consistency.literals]

/** The counts of a consistency; none where it is not named. */
const named = (
  level: Consistency | undefined,
  n: number
): { readonly any: number; readonly primaries: number } | undefined =>
  level === undefined ? undefined : {
    any: level === "available" ? 1 : majority(n),
    primaries: level === "strict" ? majority(n) : 0
  }

const counted = (value: Replicas | undefined, n: number): number | undefined =>
  value === "one" ? 1 : value === "quorum" ? majority(n) : value === "all" ? n : value

const settings = ["r", "pr", "w", "pw"] as const

describe("which setting wins", () => {
  it("the request's number, its consistency, the bucket's number, its consistency", () => {
    let cases = 0
    for (const n of [1, 2, 3, 5]) {
      const values = [undefined, "one", "quorum", "all", 1, n] as const
      for (const setting of settings) {
        for (const asked of values) {
          for (const asking of levels) {
            for (const kept of values) {
              for (const keeping of levels) {
                const request = { consistency: asking, [setting]: asked }
                const bucket = { consistency: keeping, [setting]: kept }
                const field = setting.startsWith("p") ? "primaries" : "any"
                const expected = counted(asked, n) ?? named(asking, n)?.[field] ?? counted(kept, n)
                  ?? named(keeping, n)?.[field] ?? named("balanced", n)?.[field]
                const options = { n, bucket, request }
                const { pw, w } = write(options)
                expect({ ...read(options), w, pw }[setting]).toBe(expected)
                cases++
              }
            }
          }
        }
      }
    }
    expect(cases).toBe(4 * 4 * 6 * 4 * 6 * 4)
  })

  it("one setting of the request leaves the bucket's others alone", () => {
    const bucket = { consistency: "strict", pr: 1, dw: "all" } as const
    expect(resolveRead({ n: 3, bucket, request: { r: "all" } })).toEqual({
      _tag: "ReadNeeds",
      r: 3,
      pr: 1
    })
    expect(resolveWrite({ n: 3, durability: "synced", bucket, request: { w: 1 } })).toEqual({
      _tag: "WriteNeeds",
      w: 1,
      pw: 2,
      dw: 3
    })
  })

  it("a request for available is available whatever numbers the bucket carries", () => {
    const bucket = { r: 3, pr: 3, w: 3, pw: 3, dw: 3 }
    const request = { consistency: "available" } as const
    expect(resolveRead({ n: 3, bucket, request })).toMatchObject({ r: 1, pr: 0 })
    for (const durability of Durability.literals) {
      const { dw, pw, w } = write({ n: 3, durability, bucket, request })
      expect([w, pw, dw <= 1]).toEqual([1, 0, true])
    }
  })
})

describe("the promise of each name", () => {
  const every = range(1, replicasMax)

  it("a strict read shares a complete primary with every strict write", () => {
    const request = { consistency: "strict" } as const
    for (const n of every) {
      const { pr } = read({ n, bucket: {}, request })
      const { pw } = write({ n, bucket: {}, request })
      expect(pr + pw).toBeGreaterThan(n)
    }
  })

  it("without any setting, reads and writes of n replicas overlap", () => {
    for (const n of every) {
      const { r } = read({ n, bucket: {}, request: {} })
      const { w } = write({ n, bucket: {}, request: {} })
      expect(r + w).toBeGreaterThan(n)
    }
  })

  it("durability asks for a quorum on disk, one, or none, and never for more than w", () => {
    for (const n of every) {
      for (const w of range(1, n)) {
        const dw = Durability.literals.map((durability) =>
          write({ n, durability, bucket: {}, request: { w } }).dw
        )
        expect(dw).toEqual([Math.min(w, majority(n)), 0, 1])
      }
    }
  })

  it("dw follows a request's w, and is the bucket's where the bucket names it", () => {
    const bucket = { dw: "all" } as const
    expect(write({ n: 3, bucket: {}, request: { w: "one" } }).dw).toBe(1)
    expect(write({ n: 3, bucket, request: { w: "one" } }).dw).toBe(3)
    expect(write({ n: 3, bucket, request: { w: "one", dw: 0 } }).dw).toBe(0)
  })
})

describe("a setting that cannot be met", () => {
  it("a count below the least or above n is refused, never clamped", () => {
    for (const n of [1, 3, 5]) {
      for (const setting of [...settings, "dw"] as const) {
        const least = setting === "r" || setting === "w" ? 1 : 0
        for (const value of [least - 1, n + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          for (const where of ["request", "bucket"] as const) {
            const options = { n, bucket: {}, request: {}, [where]: { [setting]: value } }
            const resolved = setting === "r" || setting === "pr"
              ? resolveRead(options)
              : resolveWrite({ ...options, durability: "synced" })
            const expected = `one, quorum, all, or an integer from ${least} to ${n}`
            expect(resolved).toEqual({ _tag: "Unmeetable", setting, value, expected })
          }
        }
      }
    }
  })

  it("a bucket's number that the request replaces is not looked at", () => {
    expect(resolveRead({ n: 3, bucket: { r: 9 }, request: { r: 2 } })).toMatchObject({ r: 2 })
  })

  it("a number of replicas that no bucket has is our mistake, not the caller's", () => {
    for (const n of [0, 1.5, replicasMax + 1]) {
      expect(() => resolveRead({ n, bucket: {}, request: {} })).toThrow(InvariantViolation)
    }
  })

  it("text that is no name of a count does not decode", () => {
    const decode = Schema.decodeUnknownResult(Replicas)
    expect(["one", "all", 2, "most", "2", 1.5].map((text) => decode(text)._tag)).toEqual([
      "Success",
      "Success",
      "Success",
      "Failure",
      "Failure",
      "Failure"
    ])
  })
})
