// Checks what a node remembers of operations: in the order of their arrivals, up to a bound, and
// across restarts as far as their rows are on disk.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { StrategyDefinition } from "../../src/core/model/BucketDefinition.ts"
import * as Mark from "../../src/core/operations/Mark.ts"
import * as Proof from "../../src/core/operations/Proof.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { OperationIndex } from "../../src/replica/OperationIndex.ts"
import * as OperationRow from "../../src/replica/OperationRow.ts"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import { type KeyedRow, ScanFailed } from "../../src/storage/Storage.ts"
import { identity } from "../storage/storageFixtures.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { Bench, key } from "./bench.ts"

const counter: StrategyDefinition = { family: "crdt", type: { type: "counter" } }
const id = (sequence: number) => ({ session: "s", sequence })
const rowsOf = ({ storage }: Bench) =>
  storage.scanRows({ family: "operation", under: [], after: undefined, limit: 1000 })

const make = (operationIdsMax = 1000) => new Bench({ strategy: counter, operationIdsMax })

describe("rows that cannot be read at a start", () => {
  it("leave nothing remembered, and no mark from before the start is valid", () => {
    const bench = make()
    bench.operate("add", [2], { id: id(1) })
    const before = bench.replica.operations.mark()
    const operations = new OperationIndex({
      runtime: { mark: () => {} },
      storage: {
        scanRows: () => {
          throw new ScanFailed("a bad page")
        }
      },
      incarnation: () => "0mi8dfxmoabcdef",
      limits: { operationIdsMax: 10 }
    })
    expect(operations.kept).toBe(0)
    expect(operations.find(key, id(1))).toBeUndefined()
    expect(Proof.isValid(operations.memory(), before)).toBe(false)
    expect(Proof.isValid(operations.memory(), operations.mark())).toBe(true)
  })
})

/** A node's rows of operations over many starts, as the storage has them. */
class Rows {
  readonly #disk = new MemoryDisk()
  #opened = this.#open()
  #sequence = 0

  #open() {
    const runtime = new SteppedRuntime()
    const options = { runtime, incarnation: () => "0mi8dfxmoabcdef" }
    const { close, service } = openDirect({ directory: this.#disk, identity, runtime })
    const limits = { operationIdsMax: 1000 }
    const operations = new OperationIndex({ ...options, storage: service, limits })
    return { close, operations, runtime, service }
  }

  restart(): void {
    this.#opened.close()
    this.#opened = this.#open()
  }

  /** Carries an operation out in a partition. */
  add(partition: number): void {
    const { operations, runtime, service } = this.#opened
    const sequence = ++this.#sequence
    const dot = { actor: "n1.0mi8dfxmoabcdef.1", counter: sequence }
    const noted = operations.applied(keyIn(partition), { id: id(sequence), dot })
    const put = { header: new Uint8Array(1), elements: [], elementCount: 0 }
    const documents = [{ key: keyIn(partition), ...put }]
    noted.accepted(service.write({ documents, rows: noted.rows }, () => {}))
    runtime.runReady()
  }

  /** The operations in the order in which their rows lie. */
  lie(): ReadonlyArray<number> {
    return this.#opened.service
      .scanRows({ family: "operation", under: [], after: undefined, limit: 1000 })
      .map(({ bytes }) => OperationRow.decode(bytes!)!.id.sequence)
  }

  knows(partition: number, sequence: number): boolean {
    return this.#opened.operations.find(keyIn(partition), id(sequence)) !== undefined
  }
}

describe("the rows of operations on disk", () => {
  it("lie in the order of arrival, over all partitions and starts", () => {
    const step = fc.oneof({ weight: 9, arbitrary: fc.nat(255) }, fc.constant("restart" as const))
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rows = new Rows()
      for (const at of steps) {
        if (at === "restart") rows.restart()
        else rows.add(at)
      }
      const partitions = steps.filter((at) => at !== "restart")
      expect(rows.lie()).toEqual(partitions.map((_, i) => i + 1))
      rows.restart()
      partitions.forEach((at, i) => expect(rows.knows(at, i + 1)).toBe(true))
    }))
  })
})

/** The index of a start that finds these rows. */
const startedWith = (rows: ReadonlyArray<KeyedRow>, operationIdsMax: number): OperationIndex => {
  const runtime = new SteppedRuntime()
  const { service } = openDirect({ directory: new MemoryDisk(), identity, runtime })
  service.write({ documents: [], rows }, () => {})
  runtime.runReady()
  return new OperationIndex({
    runtime,
    storage: service,
    incarnation: () => "0mi8dfxmoabcdef",
    limits: { operationIdsMax }
  })
}

describe("a row that cannot be read as an operation's", () => {
  it("does not number the rows that come after it", () => {
    const key = [Number.MAX_SAFE_INTEGER, 0] as const
    const operations = startedWith([{ family: "operation", key, bytes: new Uint8Array(1) }], 10)
    const dot = { actor: "n1.0mi8dfxmoabcdef.1", counter: 1 }
    const [row] = operations.applied(keyIn(7), { id: id(1), dot }).rows
    expect(typeof row?.key === "function" && row.key([2 ** 32])).toEqual([2 ** 32, 7])
  })
})

const keyIn = (partition: number) => ({ ...key, partition })

describe("operations that are read at a start", () => {
  it("are forgotten by age, whichever partition they are of", () => {
    const row = (partition: number, sequence: number): KeyedRow => ({
      family: "operation",
      key: [partition, sequence],
      bytes: OperationRow.encode({
        id: id(sequence),
        dot: { actor: "n1.0mi8dfxmoabcdef.1", counter: sequence },
        document: { bucket: key.bucket, partitionKey: key.partitionKey, sortKey: key.sortKey }
      })
    })
    const epoch = 2 ** 32
    const rows = [row(0, 2 * epoch), row(0, 3 * epoch), row(9, epoch)]
    const operations = startedWith(rows, 2)
    expect(operations.find(keyIn(9), id(epoch))).toBeUndefined()
    expect(operations.find(keyIn(0), id(2 * epoch))).toBeDefined()
    expect(operations.find(keyIn(0), id(3 * epoch))).toBeDefined()
  })
})

describe("an operation", () => {
  it("is answered from what is stored when it comes again, and changes nothing", () => {
    const bench = make()
    expect(bench.operate("add", [2], { id: id(1) })).toMatchObject({ isRetry: false })
    const { changes } = bench.storage.stats()
    expect(bench.operate("add", [2], { id: id(1) })).toMatchObject({ isRetry: true })
    expect(bench.storage.stats().changes).toBe(changes)
    expect(bench.values()).toEqual([2])
    expect(bench.replica.stats()).toMatchObject({ updates: 1, retries: 1 })
  })

  it("is known after a restart, by its row", () => {
    const bench = make()
    const { dot } = bench.operate("add", [2], { id: id(1) })
    bench.crash()
    expect(bench.replica.operations.find(key, id(1))).toMatchObject({ _tag: "Applied", dot })
    expect(bench.operate("add", [2], { id: id(1) })).toMatchObject({ isRetry: true })
  })

  it("is known where it came with a document, and not where the document came alone", () => {
    const bench = make()
    const [informed, ignorant] = ["n2", "n3"].map((node) => new Bench({ strategy: counter, node }))
    const { dot } = bench.operate("add", [2], { id: id(1) })
    const operation = { id: id(1), dot }
    ignorant!.join(bench.document())
    expect(ignorant!.replica.trace(key, id(1))).toBeUndefined()
    ignorant!.replica.join({ key, document: bench.document(), operation }, () => {})
    informed!.replica.join({ key, document: bench.document(), operation }, () => {})
    for (const { replica } of [informed!, ignorant!]) {
      expect(replica.trace(key, id(1))).toMatchObject({ _tag: "Applied" })
    }
  })

  it("whose row is here and whose dot is not was applied, and is no answer", () => {
    const bench = make()
    const other = new Bench({ strategy: counter, node: "n2" })
    bench.operate("add", [1])
    const { dot } = bench.operate("add", [2], { id: id(1) })
    other.operate("add", [5])
    const operation = { id: id(1), dot }
    other.replica.join({ key, document: other.document(), operation }, () => {})
    expect(other.replica.trace(key, id(1))).toMatchObject({ _tag: "Lost" })
  })

  it("that failed to commit is lost, since it was sent, and no mark from before is valid", () => {
    const bench = make()
    const mark = bench.replica.operations.mark()
    const mend = bench.failCommits()
    bench.begin([["add", 2]], { id: id(1) })
    bench.runtime.runReady()
    mend()
    expect(bench.replica.trace(key, id(1))).toMatchObject({ _tag: "Lost" })
    expect(Proof.isValid(bench.replica.operations.memory(), mark)).toBe(false)
  })

  it("that was refused for its arguments is not known", () => {
    const bench = make()
    bench.begin([["add", "two"]], { id: id(1) })
    expect(bench.replica.trace(key, id(1))).toBeUndefined()
    expect(bench.operate("add", [2], { id: id(1) })).toMatchObject({ isRetry: false })
  })
})

describe("the memory of operations", () => {
  it("forgets the oldest beyond its bound, and its row with a later write", () => {
    const bench = make(4)
    for (let i = 1; i <= 10; i++) bench.operate("add", [1], { id: id(i) })
    const { operations } = bench.replica
    const known = Array.from({ length: 10 }, (_, i) => operations.find(key, id(i + 1)))
    expect(known.map((entry) => entry !== undefined))
      .toEqual([false, false, false, false, false, false, true, true, true, true])
    expect(operations.memory()).toMatchObject({ arrivals: 10, evictedThrough: 6 })
    expect(rowsOf(bench).length).toBeLessThanOrEqual(5)
    bench.crash()
    expect(bench.replica.operations.kept).toBe(4)
  })

  it("proves nothing to a mark that is older than the last that was forgotten", () => {
    const bench = make(2)
    const marks = [1, 2, 3, 4].map((i) => {
      const mark = bench.replica.operations.mark()
      bench.operate("add", [1], { id: id(i) })
      return mark
    })
    const memory = bench.replica.operations.memory()
    expect(marks.map((mark) => Proof.isValid(memory, mark))).toEqual([false, false, true, true])
  })

  it("keeps a fence newer than all marks from before it, until a newer one comes", () => {
    const { replica } = make()
    const { operations } = replica
    const self = NodeId.make("n1")
    const judge = (mark: string) =>
      Proof.judge(operations.memory(), {
        self,
        trace: replica.trace(key, id(1)),
        claim: { mark, tried: [] }
      })._tag
    const before = operations.mark()
    expect(judge(before)).toBe("Do")
    operations.fence(key, id(1))
    expect(judge(before)).toBe("Stale")
    expect(judge(operations.mark())).toBe("Do")
  })

  it("follows what was forwarded, fences it, and drops it once it was refused", () => {
    const { operations } = make().replica
    const target = { node: NodeId.make("n2"), mark: "0mi8dfxmoabcdef.1" }
    operations.forwarded(key, id(1), target)
    operations.forwarded(key, id(1), target)
    expect(operations.find(key, id(1))).toMatchObject({ targets: [target], fencedAt: 0 })
    operations.fence(key, id(1))
    expect(operations.find(key, id(1))).toMatchObject({ targets: [target], fencedAt: 2 })
    operations.fence(key, id(1), { isRefused: true })
    expect(operations.find(key, id(1))).toEqual({ _tag: "Fenced", arrival: 3 })
  })
})

describe("the row of an operation", () => {
  const row = {
    document: { bucket: "b", partitionKey: "sk", sortKey: "" },
    id: { session: "é", sequence: 7 },
    dot: { actor: "n1.0mi8dfxmoabcdef.1", counter: 9 }
  }

  it("is read back as written, and is none where bytes are cut off, added or flipped", () => {
    const bytes = OperationRow.encode(row)
    expect(OperationRow.decode(bytes)).toEqual(row)
    for (let length = 0; length < bytes.length; length++) {
      expect(OperationRow.decode(bytes.subarray(0, length))).toBeUndefined()
    }
    expect(OperationRow.decode(Uint8Array.of(...bytes, 0))).toBeUndefined()
    expect(OperationRow.decode(Uint8Array.of(2, ...bytes.subarray(1)))).toBeUndefined()
  })

  it("has these bytes in format 1", () => {
    expect(Buffer.from(OperationRow.encode(row)).toString("hex"))
      .toBe("01016202736b0002c3a907146e312e306d69386466786d6f6162636465662e3109")
  })
})

describe("a mark", () => {
  it("is read back as written, and other text is none", () => {
    const mark = { incarnation: "0mi8dfxmoabcdef", arrivals: 12 }
    expect(Mark.encode(mark)).toBe("0mi8dfxmoabcdef.12")
    expect(Mark.decode("0mi8dfxmoabcdef.12")).toEqual(mark)
    for (const text of ["", ".", "a", "a.", ".1", "a.-1", "a.1.1", "a.1e3", "a.9999999999999999"]) {
      expect(Mark.decode(text)).toBeUndefined()
    }
  })
})
