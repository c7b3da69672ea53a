// Shows the checkers of every bucket, and of the cluster as a whole, histories that they must
// refuse, and their right versions.
import { describe, expect, it } from "vitest"
import {
  availability,
  bounds,
  convergence,
  identity
} from "../../../src/testing/simulator/checkers/ClusterPromises.ts"
import { inventions } from "../../../src/testing/simulator/checkers/Inventions.ts"
import { sessions } from "../../../src/testing/simulator/checkers/Sessions.ts"
import { shownVersions } from "../../../src/testing/simulator/checkers/ShownVersions.ts"
import type { Lost, Record, Shown } from "../../../src/testing/simulator/History.ts"
import type { SimBucketName } from "../../../src/testing/simulator/SimBuckets.ts"
import { finalOf, history, type HistoryStep, problems, recordOf, shown } from "./histories.ts"

const put = { kind: "put", seen: "nothing" } as const
const add = { kind: "add", item: "i", seen: "nothing" } as const
const remove = { kind: "remove", item: "i", seen: "fresh" } as const
const read = { kind: "read" } as const
const nothing = shown(undefined, [])

const invented = (bucket: SimBucketName, steps: ReadonlyArray<HistoryStep>, final: Shown) =>
  problems(inventions, history(bucket, steps, final))

const wentBack = (bucket: SimBucketName, steps: ReadonlyArray<HistoryStep>, isGuarded = true) =>
  problems(
    sessions,
    history(bucket, steps, nothing, isGuarded ? { guarded: new Set([1]) } : {})
  )
const reading = (id: number, result: Shown): HistoryStep => ({ id, action: read, result })

const digests = (third: string) => new Map([["n1", "a"], ["n2", "a"], ["n3", third]])

const sized = (
  actors: ReadonlyArray<string>,
  leaves: number,
  damaged: Iterable<string> = [],
  deferrals = 0
) => {
  const sizes = new Map([["n2", { actors, leaves, deferrals }]])
  const record = history("notes", [{ id: 1, action: put }], nothing, {
    final: [finalOf("notes", nothing, { sizes })],
    damaged: new Set(damaged)
  })
  return problems(bounds, record)
}

describe("the checker of inventions", () => {
  it.each<[SimBucketName, HistoryStep["action"], unknown, unknown]>([
    ["registers", put, "o1", "o2"],
    ["notes", put, ["o1"], ["o1", "o2"]],
    ["tags", add, ["i"], ["j"]],
    ["counts", { kind: "increment", digit: 1 }, 4, 5],
    ["documents", add, { lines: { i: ["o1"] }, title: null }, {
      lines: { j: ["o1"] },
      title: null
    }],
    ["documents", add, { lines: { i: ["o1"] }, title: null }, { lines: {}, title: "o1" }],
    ["carts", { ...add, seen: "fresh" }, { i: { o1: 1 } }, { j: { o1: 1 } }]
  ])("refuses a value that was not written, in %s", (bucket, action, right, wrong) => {
    expect(invented(bucket, [{ id: 1, action }], shown(right, [1]))).toEqual([])
    expect(invented(bucket, [{ id: 1, action }], shown(wrong, [1]))).not.toEqual([])
    expect(invented(bucket, [{ id: 1, action, outcome: "fail" }], shown(right, [1]))).not.toEqual(
      []
    )
    expect(invented(bucket, [{ id: 1, action, outcome: "info" }], shown(right, [1]))).toEqual([])
  })

  it("accepts a write that one process refused and another one of that id carried out", () => {
    const steps: ReadonlyArray<HistoryStep> = [{ id: 1, action: put, outcome: "fail" }]
    const seen = (changes: Partial<Record>) =>
      problems(inventions, history("registers", steps, shown("o1", [1]), changes))
    const makers = new Map([[1, new Set(["n2"])]])
    expect(seen({ makers, twinned: new Set(["n2"]) })).toEqual([])
    expect(seen({ makers, twinned: new Set(["n3"]) })).not.toEqual([])
    expect(seen({ twinned: new Set(["n2"]) })).not.toEqual([])
  })

  it("refuses a value that was shown before its write began", () => {
    const early: HistoryStep = { id: 1, action: read, result: shown("o2", [2]) }
    expect(invented("registers", [early, { id: 2, action: put }], shown("o2", [2])))
      .toEqual(["to o1, o2 was shown, which was never written"])
    const late: HistoryStep = { ...early, id: 3 }
    expect(invented("registers", [{ id: 2, action: put }, late], shown("o2", [2]))).toEqual([])
  })
})

const asked = (unwritten: ReadonlyArray<string>) =>
  problems(
    shownVersions,
    history(
      "notes",
      [{ id: 1, action: put }, { ...reading(2, shown(["o1"], [1])), unwritten }],
      nothing
    )
  )

describe("the checker of shown versions", () => {
  it("refuses an answer that shows what no disk has had", () => {
    expect(asked([])).toEqual([])
    expect(asked(["n1 5"])).toEqual(["o2 was shown what no disk has had: n1 5"])
  })
})

describe("the checker of sessions, after a loss", () => {
  const told = (id: number, result: Shown, lost: Partial<Lost> = {}) => ({
    ...reading(id, result),
    lost: { dots: ["n1 1"], held: [], ...lost }
  })
  const first = [{ id: 1, action: put }, reading(2, shown(["o1"], [1]))]

  it("accepts that what is lost is gone, where the session was told so", () => {
    expect(wentBack("notes", [...first, told(3, nothing)])).toEqual([])
    expect(wentBack("notes", [...first, told(3, nothing), reading(4, nothing)])).toEqual([])
    expect(wentBack("notes", [...first, reading(3, nothing)])).not.toEqual([])
  })

  it("refuses that anything else is gone", () => {
    const both = [
      { id: 1, action: put },
      { id: 2, action: put },
      reading(3, shown(["o1", "o2"], [1, 2]))
    ]
    expect(wentBack("notes", [...both, told(4, shown(["o2"], [2]))])).toEqual([])
    expect(wentBack("notes", [...both, told(4, shown([], [2]))]))
      .toEqual(["o4 went back behind o3: o2 is gone"])
  })

  it("refuses a loss that is none, and one that is told twice", () => {
    expect(wentBack("notes", [...first, told(3, nothing, { held: ["n1 1 at n2"] })]))
      .toEqual(["o3 told that something is lost: n1 1 at n2"])
    expect(wentBack("notes", [...first, told(3, nothing), told(4, nothing)]))
      .toEqual(["o4 told again that n1 1 is lost"])
  })

  it("accepts a loss that is told again only where the session was shown the dot meanwhile", () => {
    const there = shown(["o1"], [1])
    const lost = { dots: [...there.vector].map(([actor, counter]) => `${actor} ${counter}`) }
    const again = ["o5 told again that n1.000000000life01.1 1 is lost"]
    const through = (step: HistoryStep) =>
      wentBack("notes", [...first, told(3, nothing, lost), step, told(5, nothing, lost)])
    expect(through(reading(4, there))).toEqual([])
    const failed = { id: 4, action: put, outcome: "fail", saw: there } as const
    expect(through({ ...failed, action: { ...put, seen: "fresh" } })).toEqual([])
    expect(through(reading(4, nothing))).toEqual(again)
    // An entry from before the loss shows nothing anew.
    expect(through({ ...failed, action: { ...put, seen: "kept" } })).toEqual(again)
  })
})

describe("the checker of sessions", () => {
  it.each<[SimBucketName, HistoryStep["action"], unknown, unknown]>([
    ["registers", put, "o1", undefined],
    ["notes", put, ["o1"], []],
    ["tags", add, ["i"], []],
    ["counts", { kind: "increment", digit: 1 }, 4, 0],
    ["documents", add, { lines: { i: ["o1"] }, title: null }, { lines: {}, title: null }],
    ["carts", { ...add, seen: "fresh" }, { i: { o1: 1 } }, {}]
  ])("refuses that a read does not show what the session wrote, in %s", (bucket, action, a, b) => {
    const written: HistoryStep = { id: 1, action, stamp: 10, result: shown(a, [1], 10) }
    expect(wentBack(bucket, [written, reading(2, shown(a, [1], 10))])).toEqual([])
    const steps = [written, reading(2, shown(b, [1], 10))]
    expect(wentBack(bucket, steps)).toEqual([
      "o2 went back behind o1: " + (bucket === "tags" ? "i" : "o1") + " is gone"
    ])
    expect(wentBack(bucket, steps, false)).toEqual([])
  })

  it("refuses that a read shows less than an earlier one, of another session's writes too", () => {
    const written: HistoryStep = { id: 1, action: put, session: 2 }
    const steps = [written, reading(2, shown(["o1"], [1])), reading(3, shown([], [1]))]
    expect(wentBack("notes", steps)).toEqual(["o3 went back behind o2: o1 is gone"])
  })

  it("refuses that a context goes back, with any values", () => {
    const steps = [reading(1, shown([], [1, 2])), reading(2, shown([], [1]))]
    expect(wentBack("notes", steps)).toEqual(["o2 went back behind o1: by its context"])
  })

  it("accepts that a value is gone which a write may have replaced", () => {
    const first: HistoryStep = { id: 1, action: put, stamp: 10, result: shown("o1", [1], 10) }
    const second: HistoryStep = { id: 2, action: put, stamp: 20, session: 2 }
    const third = reading(3, shown("o2", [1, 2], 20))
    expect(wentBack("registers", [first, second, third])).toEqual([])
    const lower = reading(3, shown("o2", [1, 2], 5))
    expect(wentBack("registers", [first, { ...second, stamp: 5 }, lower]))
      .toEqual(["o3 went back behind o1: o1 is gone"])
  })

  it("accepts that an element is gone which a removal may have removed", () => {
    const added: HistoryStep = { id: 1, action: add, result: shown(["i"], [1]) }
    const removed: HistoryStep = { id: 2, action: remove, session: 2, saw: shown(["i"], [1]) }
    const gone = reading(3, shown([], [1, 2]))
    expect(wentBack("tags", [added, removed, gone])).toEqual([])
    expect(wentBack("tags", [added, { ...removed, outcome: "fail" }, gone])).toHaveLength(1)
    expect(wentBack("tags", [added, { ...removed, invokedAt: 100 }, gone])).toHaveLength(1)
  })

  it("refuses that an element is gone by a removal, or a delete, that had not seen it", () => {
    const added: HistoryStep = { id: 1, action: add, result: shown(["i"], [1]) }
    const gone = reading(3, shown([], [1, 2]))
    for (const action of [remove, { kind: "delete", seen: "fresh" } as const]) {
      const removed: HistoryStep = { id: 2, action, session: 2, saw: shown([], []) }
      expect(wentBack("tags", [added, removed, gone])).toHaveLength(1)
      // No disk ever had it: then it was not to be shown either.
      const unstored = { ...added, stored: false }
      expect(wentBack("tags", [unstored, removed, gone])).toHaveLength(1)
    }
  })
})

describe("the checkers of the cluster", () => {
  it("refuse that a healthy node did not answer", () => {
    expect(problems(availability, recordOf())).toEqual([])
    expect(problems(availability, recordOf({ unavailable: ["o1"] }))).toEqual(["o1"])
  })

  it("refuse replicas that differ, nodes that show different things, and writes at rest", () => {
    const final = finalOf("notes", shown([], []))
    const differ = (changes: Partial<typeof final>) =>
      problems(convergence, recordOf({ final: [{ ...final, ...changes }] }))
    expect(differ({})).toEqual([])
    expect(differ({ digests: digests("b") })).toEqual(["the replicas differ: n1 a, n2 a, n3 b"])
    expect(differ({ digests: digests("absent") })).toHaveLength(1)
    expect(differ({ digests: digests("damaged") })).toHaveLength(1)
    const onlyCopy = new Map([["n1", "absent"], ["n2", "absent"], ["n3", "damaged"]])
    const lost = { final: [{ ...final, digests: onlyCopy }], damaged: new Set(["n3"]) }
    expect(problems(convergence, recordOf(lost))).toEqual([])
    expect(differ({ digests: onlyCopy })).toHaveLength(1)
    const written = history("notes", [{ id: 1, action: put }], shown([], []), lost)
    expect(problems(convergence, written)).toHaveLength(1)
    expect(differ({ digests: new Map([...digests("a"), ["n4", "a"]]) }))
      .toEqual(["n4 holds it and should not"])
    expect(differ({ shown: new Map([...final.shown, ["n3", "QuorumNotMet"]]) }))
      .toEqual(["n3 cannot read it: QuorumNotMet"])
    expect(differ({ shown: new Map([...final.shown, ["n3", shown([], [1])]]) })).toHaveLength(1)
    expect(problems(convergence, recordOf({ idleWrites: 2 })))
      .toEqual(["2 writes after all was done"])
  })

  it("refuse names that stand for two things", () => {
    expect(problems(identity, recordOf({ reused: ["a dot"] }))).toEqual(["a dot"])
    const lapses = [{ node: "n1", problem: "o1" }]
    expect(problems(identity, recordOf({ lapses }))).toEqual(["o1"])
    expect(problems(identity, recordOf({ lapses, damaged: new Set(["n1"]) }))).toEqual([])
    const incarnations = [
      { node: "n1", incarnation: "a" },
      { node: "n2", incarnation: "b" }
    ]
    expect(problems(identity, recordOf({ incarnations }))).toEqual([])
    const twice = [...incarnations, { node: "n3", incarnation: "b" }]
    expect(problems(identity, recordOf({ incarnations: twice })))
      .toEqual(["incarnation b began twice"])
  })

  it("refuse that an operation is given two dots, unless its client was promised less", () => {
    const dots = ["n2", "n3"].map((node) => ({ actor: `${node}.000000000life01.1`, counter: 1 }))
    const made = new Map([[1, dots]])
    const makers = new Map([[1, new Set(["n2", "n3"])]])
    const add: HistoryStep = { id: 1, action: { kind: "add", item: "i0", seen: "nothing" } }
    const twice = (more: Partial<HistoryStep>, of3: ReadonlyArray<string>) => {
      const incarnations = [
        { node: "n2", incarnation: "a" },
        ...of3.map((incarnation) => ({ node: "n3", incarnation }))
      ]
      const told = history("tags", [{ ...add, ...more }], shown(["i0"], [1]), {
        made,
        makers,
        incarnations
      })
      return problems(identity, told)
    }
    const problem = `o1 was carried out as ${dots.map(({ actor }) => actor).join(", ")}`
    expect(twice({}, ["b"])).toEqual([problem])
    expect(twice({}, ["b", "c"])).toEqual([problem])
    expect(twice({ timesMax: 2 }, ["b"])).toEqual([])
    // A user's own name is known while a node that carried it out remembers it.
    expect(twice({ isNamed: true }, ["b"])).toEqual([problem])
    expect(twice({ isNamed: true }, ["b", "c"])).toEqual([])
  })

  it("refuse more actors than incarnations, and more leaves than writes", () => {
    expect(sized(["n1.life1.1", "n1.life2.1", "n2.life1.1"], 1)).toEqual([])
    expect(sized(["n1.life1.1", "n1.life1.2"], 1)).toEqual(["n1.life1 was born twice for it"])
    expect(sized(["n1.life1.1", "n1.life1.2"], 1, ["n1"])).toEqual([])
    expect(sized([], 2)).toEqual(["2 leaves after 1 requests"])
    expect(sized([], 1, [], 3)).toEqual(["3 removals wait for ever"])
  })
})
