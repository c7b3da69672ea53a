// Checks that memory knows the hints whose rows are on the disk, whichever commits fail.
import { describe, expect, it } from "vitest"
import * as fc from "fast-check"
import * as Incarnation from "../../src/core/model/Incarnation.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import type { Commits } from "../../src/replica/Commits.ts"
import * as HintRow from "../../src/replica/HintRow.ts"
import { Hints } from "../../src/replica/Hints.ts"
import {
  type OnCommit,
  type Row,
  ScanFailed,
  type ScannedRow,
  type StorageFailure
} from "../../src/storage/Storage.ts"

const failing: StorageFailure = { kind: "failing", detail: "an I/O error" }
const target = NodeId.make("n4")
const incarnation = Incarnation.next({ previous: undefined, now: 0, id: "abcdefgh" })
const keyOf = (name: string) => ({ partition: 3, bucket: "b", partitionKey: name, sortKey: "" })
const limits = { hintBytesMax: 1_000_000 }
const runtime = { now: () => 7, mark: () => {} }

/** A disk of hints: a commit writes what was written first; a failure hides all that waits. */
class HintDisk {
  /** Refuses what it is given, and goes on with what waits. */
  isFull = false
  readonly #rows = new Map<string, ScannedRow<"hint">>()
  #waiting: Array<{ readonly rows: ReadonlyArray<Row>; readonly done: OnCommit }> = []

  write(rows: ReadonlyArray<Row>, done: OnCommit): StorageFailure | undefined {
    if (!this.isFull) this.#waiting.push({ rows, done })
    return this.isFull ? { kind: "overloaded", detail: "too much waits already" } : undefined
  }

  commit(): void {
    const first = this.#waiting.shift()
    for (const { bytes, family, key } of first?.rows ?? []) {
      if (family !== "hint" || typeof key === "function") continue
      const name = JSON.stringify(key)
      if (bytes === undefined) this.#rows.delete(name)
      else this.#rows.set(name, { key, bytes })
    }
    first?.done(undefined)
  }

  /** `meanwhile`: between the first write that is told and the others. */
  fail(meanwhile = (): void => {}): void {
    const lost = this.#waiting
    this.#waiting = []
    for (const [index, { done }] of lost.entries()) {
      if (index === 1) meanwhile()
      done(failing)
    }
  }

  commitAll(): void {
    while (this.#waiting.length > 0) this.commit()
  }

  /** Hints as a node knows them that starts now. */
  load(): Hints {
    const rows: ReadonlyArray<any> = [...this.#rows.values()]
    return new Hints({ runtime, limits, storage: { scanRows: () => rows } })
  }
}

const kept = (of: Hints) =>
  ["a", "b"].map((name) => {
    const hint = of.find(target, keyOf(name))
    return hint && { arrival: hint.arrival, bytes: hint.bytes }
  })

const start = () => {
  const disk = new HintDisk()
  const hints = disk.load()
  const owe = (name: string, bytes = 10) => {
    const owed = { targets: [target], fingerprint: "f" }
    const noted = hints.note(keyOf(name), owed, bytes)
    noted.ended(disk.write(noted.rows, noted.ending(() => {})))
  }
  const remove: Commits["remove"] = ({ rows }, done) => {
    const refusal = disk.write(rows, done)
    if (refusal !== undefined) done(refusal)
  }
  const end = (name: string) => {
    const hint = hints.find(target, keyOf(name))
    if (hint === undefined) return
    const before = { _tag: "Absent" } as const
    hints.end(hint, { before, incarnation, isDropped: true, commits: { remove } }, () => {})
  }
  const isTold = () => {
    expect(kept(hints)).toEqual(kept(disk.load()))
    expect(hints.stats()).toEqual(disk.load().stats())
  }
  return { disk, end, hints, isTold, owe }
}

describe("memory knows a hint", () => {
  it("whose removal failed together with the next hint of its document", () => {
    const { disk, end, hints, isTold, owe } = start()
    owe("a")
    disk.commitAll()
    end("a")
    owe("a", 20)
    disk.fail()
    expect(hints.stats().hints).toBe(1)
    isTold()
  })

  it("as its row says, where two later writes of it failed together", () => {
    const { disk, isTold, owe } = start()
    owe("a")
    disk.commitAll()
    owe("a", 20)
    owe("a", 30)
    disk.fail()
    isTold()
  })

  it("not at all, where its first two writes failed together", () => {
    const { disk, hints, isTold, owe } = start()
    owe("a")
    owe("a", 20)
    disk.fail()
    expect(hints.stats().hints).toBe(0)
    isTold()
  })

  it("whose removal is refused while its row is under way", () => {
    const { disk, end, hints, isTold, owe } = start()
    owe("a")
    disk.isFull = true
    end("a")
    expect(hints.stats().hints).toBe(1)
    disk.commitAll()
    isTold()
  })

  it("if and only if its row is on the disk, once nothing is under way", () => {
    const name = fc.constantFrom("a", "b")
    const step = fc.oneof(
      fc.record({ op: fc.constant("owe"), name, bytes: fc.nat(99) }),
      fc.record({ op: fc.constant("end"), name, bytes: fc.constant(0) }),
      fc.record({ op: fc.constantFrom("commit", "fail", "fill"), name, bytes: fc.nat(3) })
    )
    fc.assert(fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const { disk, end, isTold, owe } = start()
      for (const { bytes, name, op } of steps) {
        if (op === "owe") owe(name, bytes)
        else if (op === "end") end(name)
        else if (op === "fill") disk.isFull = bytes > 0
        else if (op === "commit") disk.commit()
        else disk.fail(() => bytes === 0 ? owe(name) : bytes === 1 ? end(name) : undefined)
      }
      disk.commitAll()
      isTold()
    }))
  })
})

describe("hints of which the disk told the first rows alone", () => {
  const owed = { targets: [target], fingerprint: "f" }
  const rowAt = (arrival: number): ScannedRow<"hint"> => {
    const row = { key: keyOf(`k${arrival}`), fingerprint: "f", sinceMillis: 7, bytes: 10 }
    return { key: [target, arrival], bytes: HintRow.encode(row) }
  }
  const stored = Array.from({ length: 1_500 }, (_, index) => rowAt(index + 1))

  it("are all known once it tells the others, and others are taken from then on", () => {
    let isFailing = true
    const scanRows = ({ after, limit }: any): any => {
      if (after !== undefined && isFailing) throw new ScanFailed("disk I/O error")
      const [, last = 0] = after ?? []
      return stored.slice(last, last + limit)
    }
    const hints = new Hints({ runtime, limits, storage: { scanRows } })
    const isLast = () => hints.isLast(keyOf("k1"))
    expect({ hints: hints.stats().hints, isLast: isLast() }).toEqual({
      hints: 1_000,
      isLast: false
    })
    expect(hints.refusal(keyOf("other"), owed)).toContain("cannot tell")
    expect(hints.loadNext()).toBe(false)
    isFailing = false
    expect(hints.loadNext()).toBe(true)
    expect({ hints: hints.stats().hints, isLast: isLast() }).toEqual({ hints: 1_500, isLast: true })
    expect(hints.refusal(keyOf("other"), owed)).toBeUndefined()
    const { rows: [row] } = hints.note(keyOf("other"), owed, 10)
    expect(row!.key).toEqual([target, 1_501])
  })
})
