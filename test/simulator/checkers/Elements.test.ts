// Shows the checkers of sets, counters, documents and carts histories that they must refuse, and
// their right versions.
import { describe, expect, it } from "vitest"
import { addWins } from "../../../src/testing/simulator/checkers/AddWins.ts"
import { carts } from "../../../src/testing/simulator/checkers/Carts.ts"
import { counters } from "../../../src/testing/simulator/checkers/Counters.ts"
import { nestedDocuments } from "../../../src/testing/simulator/checkers/NestedDocuments.ts"
import type { Checker, Shown } from "../../../src/testing/simulator/History.ts"
import type { SimBucketName } from "../../../src/testing/simulator/SimBuckets.ts"
import { history, type HistoryStep, problems, shown } from "./histories.ts"

const add = { kind: "add", item: "i", seen: "nothing" } as const
const remove = { kind: "remove", item: "i", seen: "fresh" } as const

/** Checkers of one bucket, told a history and its end. */
const refusing =
  (checker: Checker, bucket: SimBucketName) => (steps: ReadonlyArray<HistoryStep>, final: Shown) =>
    problems(checker, history(bucket, steps, final))

const lines = (...ids: ReadonlyArray<string>) => ({ lines: { i: ids }, title: null })
const title = (id: string | null) => ({ lines: {}, title: id })
const titled = (id: number, stamp: number): HistoryStep => ({
  id,
  action: { kind: "title", seen: "nothing" },
  stamp
})
const increment = (digit: number): HistoryStep => ({
  id: digit + 1,
  action: { kind: "increment", digit }
})

describe("the checker of add-wins sets", () => {
  const refused = refusing(addWins, "tags")
  const present = shown(["i"], [1, 2])
  const absent = shown([], [1, 2])
  const added: HistoryStep = { id: 1, action: add }
  const seeing: HistoryStep = { id: 2, action: remove, saw: shown(["i"], [1]) }
  const blind: HistoryStep = { id: 2, action: remove, saw: shown([], []) }

  it("refuses that an element is gone that was added and not removed", () => {
    expect(refused([added], present)).toEqual([])
    expect(refused([added], absent)).toEqual(["i must be present"])
  })

  it("refuses that an element stays whose every addition a removal had seen", () => {
    expect(refused([added, seeing], absent)).toEqual([])
    expect(refused([added, seeing], present)).toEqual(["i must be absent"])
  })

  it("refuses that a removal takes an addition that it had not seen", () => {
    expect(refused([added, blind], present)).toEqual([])
    expect(refused([added, blind], absent)).toEqual(["i must be present"])
  })

  it("refuses that a removal of one element takes another", () => {
    const other = { ...seeing, action: { ...remove, item: "j" } }
    expect(refused([added, other], absent)).toEqual(["i must be present"])
  })

  it("accepts both where it is unknown whether the removal, or the addition, happened", () => {
    const unsure: HistoryStep = { ...seeing, outcome: "info" }
    expect(refused([added, unsure], absent)).toEqual([])
    expect(refused([added, unsure], present)).toEqual([])
    expect(refused([{ ...added, outcome: "info" }], absent)).toEqual([])
    expect(refused([{ ...added, outcome: "info" }], present)).toEqual([])
  })

  it("refuses that a removal took something that storage has never had", () => {
    expect(refused([added, { ...seeing, outcome: "info", stored: false }], absent))
      .toEqual(["i must be present"])
  })

  it("goes by the answer of a removal that named nothing", () => {
    const taken: HistoryStep = { id: 2, action: remove, result: shown([], [1, 2]) }
    expect(refused([added, taken], present)).toEqual(["i must be absent"])
    const unseen: HistoryStep = { id: 2, action: remove, result: shown([], [2]) }
    expect(refused([added, unseen], absent)).toEqual(["i must be present"])
  })

  it("counts a delete as a removal of every element", () => {
    const deleted: HistoryStep = { ...seeing, action: { kind: "delete", seen: "fresh" } }
    expect(refused([added, deleted], present)).toEqual(["i must be absent"])
    expect(refused([added, deleted], absent)).toEqual([])
  })
})

describe("the checker of counters", () => {
  const counted = refusing(counters, "counts")
  const refused = (steps: ReadonlyArray<HistoryStep>, sum: number) => counted(steps, shown(sum, []))
  const both = [increment(0), increment(1)]

  it("refuses that an acknowledged increment is lost or counts twice", () => {
    expect(refused(both, 1 + 4)).toEqual([])
    expect(refused(both, 4)).toEqual(["o1 was acknowledged and is lost"])
    expect(refused(both, 1 + 4 + 4)).toEqual(["o2 counts 2 times"])
  })

  it("refuses that a refused increment counts, and that an unsure one counts twice", () => {
    expect(refused([{ ...increment(0), outcome: "fail" }], 1)).toHaveLength(1)
    expect(refused([{ ...increment(0), outcome: "info" }], 0)).toEqual([])
    expect(refused([{ ...increment(0), outcome: "info" }], 1)).toEqual([])
    expect(refused([{ ...increment(0), outcome: "info" }], 2)).toEqual(["o1 counts 2 times"])
  })

  it("refuses that increments count where a delete had seen all of them", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "fresh" },
      saw: shown(1 + 4, [1, 2])
    }
    expect(counted([...both, deleted], shown(undefined, [1, 2, 3]))).toEqual([])
    expect(counted([...both, deleted], shown(1 + 4, [1, 2, 3])))
      .toEqual(["o1 counts, though o3 had seen it", "o2 counts, though o3 had seen it"])
    const unsure = { ...deleted, outcome: "info" } as const
    expect(counted([...both, unsure], shown(1 + 4, [1, 2]))).toEqual([])
    expect(counted([...both, unsure], shown(1 + 4, [1, 2, 3]))).toHaveLength(2)
  })

  it("refuses that an increment counts which a delete had seen, beside one that it had not", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "fresh" },
      saw: shown(1, [1])
    }
    expect(refused([...both, deleted], 4)).toEqual([])
    expect(refused([...both, deleted], 1 + 4)).toEqual(["o1 counts, though o3 had seen it"])
    expect(refused([...both, { ...deleted, saw: shown(undefined, []) }], 1 + 4)).toEqual([])
  })

  it("refuses a view in a run that its own operations do not explain", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "kept" },
      saw: shown(1, [1])
    }
    const later: HistoryStep = { id: 4, action: { kind: "delete", seen: "nothing" } }
    const viewed = (value: unknown, ids: ReadonlyArray<number>) => {
      const read: HistoryStep = { id: 5, action: { kind: "read" }, result: shown(value, ids) }
      return counted([...both, deleted, later, read], shown(undefined, [1, 2, 3, 4]))
    }
    expect(viewed(4, [1, 2, 3])).toEqual([])
    expect(viewed(1 + 4, [1, 2])).toEqual([])
    expect(viewed(1 + 4, [1, 2, 3])).toEqual(["to o5, o1 counts, though o3 had seen it"])
    expect(viewed(0, [1, 2, 3])).toEqual(["to o5, o2 does not count, though it was seen"])
    expect(viewed(undefined, [1, 2, 3, 4])).toEqual([])
    const read: HistoryStep = { id: 5, action: { kind: "read" }, result: shown(4, [1, 2]) }
    expect(refused([...both, { ...read, result: shown(1 + 4, [1, 2]) }], 1 + 4)).toEqual([])
    expect(refused([...both, read], 1 + 4))
      .toEqual(["to o5, o1 does not count, though it was seen"])
  })

  it("accepts that an increment is gone that a delete had seen, and no other", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "fresh" },
      saw: shown(1, [1])
    }
    expect(refused([...both, deleted], 4)).toEqual([])
    expect(refused([...both, deleted], 0)).toEqual(["o2 was acknowledged and is lost"])
    expect(refused([...both, { ...deleted, outcome: "fail" }], 4)).toHaveLength(1)
  })
})

describe("the checker of documents", () => {
  const refused = refusing(nestedDocuments, "documents")

  it("refuses a line that loses an item which was not removed, or keeps one that was", () => {
    const added: HistoryStep = { id: 1, action: add }
    const later: HistoryStep = { id: 2, action: add }
    const dropped: HistoryStep = { id: 3, action: remove, saw: shown(lines("o1"), [1]) }
    expect(refused([added, later, dropped], shown(lines("o2"), [1, 2, 3]))).toEqual([])
    expect(refused([added, later, dropped], shown(lines(), [1, 2, 3])))
      .toEqual(["o2 in line i must be present"])
    expect(refused([added, later, dropped], shown(lines("o1", "o2"), [1, 2, 3])))
      .toEqual(["o1 in line i must be absent"])
  })

  it("refuses a title that was set before another", () => {
    expect(refused([titled(1, 10), titled(2, 20)], shown(title("o2"), [1, 2], 20))).toEqual([])
    expect(refused([titled(1, 10), titled(2, 20)], shown(title("o1"), [1, 2], 10)))
      .toEqual(["o1 is the title, though o2 was set later"])
    expect(refused([titled(1, 10)], shown(title(null), [1])))
      .toEqual(["there is no title, though o1 set one"])
  })

  it("refuses a title that the later one had seen, with any stamps", () => {
    const seeing: HistoryStep = { ...titled(2, 5), saw: shown(title("o1"), [1], 10) }
    expect(refused([titled(1, 10), seeing], shown(title("o1"), [1, 2], 10)))
      .toEqual(["o1 is the title, though o2 had seen it"])
  })

  it("refuses a title that a delete had seen", () => {
    const deleted: HistoryStep = {
      id: 2,
      action: { kind: "delete", seen: "fresh" },
      saw: shown(title("o1"), [1], 10)
    }
    expect(refused([titled(1, 10), deleted], shown(title(null), [1, 2]))).toEqual([])
    expect(refused([titled(1, 10), deleted], shown(title("o1"), [1, 2], 10)))
      .toEqual(["o1 is the title, though o2 had seen it"])
  })

  it("refuses a title that a later one had seen, though that is gone by a delete", () => {
    const seeing: HistoryStep = { ...titled(2, 20), saw: shown(title("o1"), [1], 10) }
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "fresh" },
      saw: shown(title("o2"), [2], 20)
    }
    const steps = [titled(1, 10), seeing, deleted]
    expect(refused(steps, shown(title(null), [1, 2, 3]))).toEqual([])
    expect(refused(steps, shown(title("o1"), [1, 2, 3], 10)))
      .toEqual(["o1 is the title, though o2 had seen it"])
  })

  it("takes any title where a delete may have taken a later one", () => {
    const deleted: HistoryStep = {
      id: 3,
      action: { kind: "delete", seen: "fresh" },
      saw: shown(title("o2"), [2], 20)
    }
    const steps = [titled(1, 10), titled(2, 20), deleted]
    expect(refused(steps, shown(title("o1"), [1, 2, 3], 10))).toEqual([])
    expect(refused(steps, shown(title(null), [1, 2, 3])))
      .toEqual(["there is no title, though o1 set one"])
  })
})

describe("the checker of carts", () => {
  const refused = refusing(carts, "carts")
  const added: HistoryStep = { id: 1, action: { ...add, seen: "fresh" } }
  const struck: HistoryStep = { id: 2, action: remove, saw: shown({ i: { o1: 1 } }, [1]) }
  const unseen: HistoryStep = { id: 2, action: remove, saw: shown({}, []) }

  it("refuses that an acknowledged addition is lost", () => {
    expect(refused([added], shown({ i: { o1: 1 } }, [1]))).toEqual([])
    expect(refused([added], shown({}, [1]))).toEqual(["o1 of i is lost"])
    expect(refused([{ ...added, outcome: "info" }], shown({}, [1]))).toEqual([])
  })

  it("refuses a struck item that is back, and an item struck without a removal", () => {
    expect(refused([added, struck], shown({ i: { o1: null } }, [1, 2]))).toEqual([])
    expect(refused([added, struck], shown({ i: { o1: 1 } }, [1, 2])))
      .toEqual(["o1 of i is back, though it was struck"])
    expect(refused([added, unseen], shown({ i: { o1: null } }, [1, 2])))
      .toEqual(["o1 of i is struck, but no operation struck it"])
  })
})
