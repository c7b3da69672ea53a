/** Breaks the files of a log, and the disk below it, and looks what the next opening finds. */
import { DatabaseSync } from "node:sqlite"
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import type { Committer } from "../../src/storage/Committer.ts"
import { LogError, type LogFile, MemoryLogFile } from "../../src/storage/LogFile.ts"
import { headerBytes, recordBytes, scanLog, writeRecord } from "../../src/storage/LogFormat.ts"
import { openStore } from "../../src/storage/OpenStore.ts"
import { Reader } from "../../src/storage/Reader.ts"
import type { StorageFailure } from "../../src/storage/Storage.ts"
import type { LogLimits } from "../../src/storage/StorageOptions.ts"
import type { OpenedStore } from "../../src/storage/StoreRow.ts"
import { bytesOf } from "../../src/storage/AcceptedBatch.ts"
import { UnfoldedWrites } from "../../src/storage/UnfoldedWrites.ts"
import { pack } from "../../src/storage/WorkerProtocol.ts"
import { accepted, batchOf, keyOf, put, removal, shown } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

/** A file whose disk can be told to refuse: it may have taken the write all the same. */
class FailingFile implements LogFile {
  readonly kept = new MemoryLogFile()
  refusal: "full" | "failing" | undefined
  takesWrites = false
  syncs = 0
  readonly size = this.kept.size
  readonly read = this.kept.read
  readonly close = this.kept.close
  readonly write = (offset: number, bytes: Uint8Array): void => {
    if (this.refusal === undefined || this.takesWrites) this.kept.write(offset, bytes)
    else throw new LogError(this.refusal, "injected")
  }
  readonly sync = (): void => {
    this.syncs++
    if (this.refusal !== undefined) throw new LogError(this.refusal, "injected")
  }
}

let database: DatabaseSync
let files: readonly [FailingFile, FailingFile]
let committer: Committer
let unfolded: UnfoldedWrites
let store: OpenedStore
let failures: Array<StorageFailure>
let openings = 0

const open = (limits: Partial<LogLimits> = {}): void => {
  openings++
  failures = []
  unfolded = new UnfoldedWrites()
  const opened = openStore(database, files, {
    identity,
    fileBytesMax: 2 ** 30,
    newStoreId: `store${openings}`,
    limits: { logBytesMax: 2_000, logGrowthBytes: 300, foldRowsMax: 2, ...limits },
    events: {
      frozen: () => unfolded.freeze(),
      folded: () => unfolded.folded(),
      failed: (failure) => failures.push(failure)
    }
  })
  committer = opened.committer
  store = opened.store
}

beforeEach(() => {
  openings = 0
  database = new DatabaseSync(":memory:")
  files = [new FailingFile(), new FailingFile()]
  open()
})

let sequence = 0
const write = (name: string, text: string): StorageFailure | undefined => {
  const batch = accepted(batchOf(put(keyOf(name), text)), ++sequence)
  const failure = committer.commit([pack([batch])])
  if (failure !== undefined) return failure
  if (committer.isFolded) unfolded.clear()
  else unfolded.add(batch, bytesOf(batch))
  committer.fold()
  return undefined
}

const inTables = (name: string): string => shown(new Reader(database).read(keyOf(name), undefined))
const seen = (name: string): string => {
  const key = keyOf(name)
  return shown(new Reader(database).read(key, unfolded.overlay(key)))
}
const names = Array.from({ length: 40 }, (_, i) => `s${i}`)
const failCommitsOf = (what: string): void =>
  database.exec(
    `CREATE TRIGGER refuse BEFORE INSERT ON ${what}
     BEGIN SELECT RAISE(ABORT, 'injected'); END`
  )

const flip = (which: 0 | 1, at: number): void => {
  const byte = files[which].read()[at]! ^ 1
  files[which].kept.write(at, Uint8Array.of(byte))
}

describe("a log", () => {
  it("has each commit after one sync, and the tables get it later", () => {
    const before = files[0].syncs
    expect(write("s1", "v1")).toBeUndefined()
    expect(files[0].syncs).toBe(before + 1)
    expect([inTables("s1"), seen("s1")]).toEqual(["Absent", "v1{}"])
  })

  it("gives back the newest version of each row, wherever the fold was at the crash", () => {
    for (let crash = 1; crash < 60; crash += 7) {
      for (let i = 0; i < crash; i++) write(`s${i % 7}`, `${crash} ${i}`)
      open()
      for (let i = Math.max(0, crash - 7); i < crash; i++) {
        expect(inTables(`s${i % 7}`)).toBe(`${crash} ${i}{}`)
      }
    }
    expect(store.storeId).toBe("store1")
  })

  it("counts the changes of documents over openings, folded or not", () => {
    for (const name of names) write(name, "v")
    open()
    expect(store.changes).toBe(names.length)
    open({ logBytesMax: 0 })
    write("s1", "v2")
    open()
    expect(store.changes).toBe(names.length + 1)
  })

  it("of a store whose tables are gone is not taken for that of the next store", () => {
    for (const name of names) write(name, "v1")
    database = new DatabaseSync(":memory:")
    open()
    for (let i = 0; i < 40; i++) {
      expect(write(`t${i % 3}`, "v2")).toBeUndefined()
      open()
      expect(inTables("s1")).toBe("Absent")
      expect(inTables(`t${i % 3}`)).toBe("v2{}")
      expect(store.storeId).toBe("store2")
    }
  })

  it("that the tables forgot the position of is not replayed, and the store is another", () => {
    for (const name of names) write(name, "v1")
    database.exec("UPDATE family_rows SET checksum = 1 WHERE key = CAST('folded' AS BLOB)")
    open()
    expect(store.storeId).toBe("store2")
    expect(inTables("s39")).toBe("Absent")
    expect(write("s39", "v2")).toBeUndefined()
    open()
    expect([inTables("s39"), store.storeId]).toEqual(["v2{}", "store2"])
  })

  it("is folded in slices, and before the other file is full", () => {
    for (let i = 0; i < 400; i++) {
      write(`s${i}`, "v")
      expect(committer.stats.logBytes).toBeLessThan(2 * 2_000)
    }
    expect(committer.stats.foldSlices).toBeGreaterThan(150)
  })

  it("takes a batch that is longer than it through the tables, after all before it", () => {
    write("s1", "v1")
    expect(write("slarge", "x".repeat(5_000))).toBeUndefined()
    expect(inTables("s1")).toBe("v1{}")
    expect(inTables("slarge")).toHaveLength(5_002)
    expect(committer.isFolded).toBe(true)
    write("s1", "v2")
    open()
    expect(inTables("s1")).toBe("v2{}")
    expect(store.storeId).toBe("store1")
  })

  it("is made longer and shorter by its limit from one opening to the next", () => {
    for (const logBytesMax of [2_000, 0, 10_000, 600, 5_000]) {
      open({ logBytesMax })
      for (const name of names) expect(write(name, `${logBytesMax}`)).toBeUndefined()
      for (const name of names) expect(seen(name)).toBe(`${logBytesMax}{}`)
    }
  })
})

describe("an append that fails", () => {
  it.each(["full", "failing"] as const)("(%s) fails its group alone", (refusal) => {
    write("s1", "v1")
    files[0].refusal = refusal
    expect(write("s1", "v2")).toEqual({ kind: refusal, detail: "injected" })
    expect(seen("s1")).toBe("v1{}")
    files[0].refusal = undefined
    expect(write("s2", "v3")).toBeUndefined()
    open()
    expect([inTables("s1"), inTables("s2"), store.storeId]).toEqual(["v1{}", "v3{}", "store1"])
  })

  it("does not come back behind later commits, though the disk has it", () => {
    const steps = fc.array(fc.constantFrom("write", "fail", "large", "reopen", "short"), {
      maxLength: 40
    })
    fc.assert(fc.property(steps, (all) => {
      openings = 0
      database = new DatabaseSync(":memory:")
      files = [new FailingFile(), new FailingFile()]
      open()
      let expected = "Absent"
      let doubtful: Array<string> = []
      for (const [i, step] of all.entries()) {
        const text = `${i}`.padEnd(step === "large" ? 3_000 : step === "short" ? 3 : 400, ".")
        const fails = step === "fail"
        if (step === "reopen") {
          open()
          if (doubtful.includes(inTables("s1"))) expected = inTables("s1")
        } else {
          for (const file of files) {
            file.refusal = fails ? "failing" : undefined
            file.takesWrites = fails
          }
          const failure = write("s1", text)
          for (const file of files) file.refusal = undefined
          if (failure === undefined) {
            expected = `${text}{}`
            doubtful = []
          } else doubtful.push(`${text}{}`)
        }
        expect(seen("s1")).toBe(expected)
        expect(store.storeId).toBe("store1")
      }
    }))
  })
})

describe("a fold that fails", () => {
  it("is told, loses nothing, and has the next commits refused until one is written", () => {
    failCommitsOf("documents")
    const kept: Array<string> = []
    for (const name of names) {
      if (write(name, "v") === undefined) kept.push(name)
    }
    expect(failures).toHaveLength(1)
    expect(kept.length).toBeGreaterThan(3)
    expect(kept.length).toBeLessThan(names.length)
    for (const name of names) expect(seen(name)).toBe(kept.includes(name) ? "v{}" : "Absent")
    database.exec("DROP TRIGGER refuse")
    expect(write("sagain", "v")).toBeUndefined()
    for (const name of [...kept, "sagain"]) expect(inTables(name)).toBe("v{}")
  })

  it("leaves its rows in the log for the next opening", () => {
    failCommitsOf("documents")
    const kept = names.filter((name) => write(name, "v") === undefined)
    expect(committer.settle()).toMatchObject({ kind: "failing" })
    database.exec("DROP TRIGGER refuse")
    open()
    for (const name of names) expect(inTables(name)).toBe(kept.includes(name) ? "v{}" : "Absent")
  })

  it("takes a removal that makes room for all that waits to be folded", () => {
    for (const name of names) write(name, "v".repeat(300))
    expect(committer.settle()).toBeUndefined()
    const { page_count: pages } = database.prepare("PRAGMA page_count").get()!
    database.exec(`PRAGMA max_page_count = ${Number(pages)}`)
    let refused: StorageFailure | undefined
    for (let i = 0; refused === undefined; i++) refused = write(`t${i}`, "v".repeat(300))
    expect(refused.kind).toBe("full")
    const room = accepted(batchOf(...names.map((name) => removal(keyOf(name)))), ++sequence)
    expect(committer.commit([pack([room])])).toBeUndefined()
    expect(write("sagain", "v")).toBeUndefined()
  })
})

describe("a log that was damaged", () => {
  it("amid its records has lost commits: the store is another one, up to the damage", () => {
    open({ logBytesMax: 20_000 })
    for (const name of names) write(name, "v".repeat(50))
    flip(0, headerBytes + 400)
    open()
    expect(store.storeId).not.toBe("store1")
    const found = names.map((name) => inTables(name))
    const first = found.indexOf("Absent")
    expect(first).toBeGreaterThan(0)
    expect(found.slice(first).every((tag) => tag === "Absent")).toBe(true)
    expect(store.changes).toBe(first)
    write("s39", "later")
    open()
    expect(inTables("s39")).toBe("later{}")
  })

  it("at its last record counts fewer changes than it told", () => {
    open({ logBytesMax: 20_000 })
    write("s1", "v1")
    const end = headerBytes + committer.stats.logBytes
    write("s1", "v2")
    flip(0, end + 30)
    open()
    expect([inTables("s1"), store.changes, store.storeId]).toEqual(["v1{}", 1, "store1"])
  })

  it("anywhere never gives back what was not committed", () => {
    fc.assert(
      fc.property(fc.nat({ max: 1 }), fc.nat(), fc.nat({ max: 30 }), (which, bit, count) => {
        openings = 0
        database = new DatabaseSync(":memory:")
        files = [new FailingFile(), new FailingFile()]
        open()
        const written = Array.from({ length: count }, (_, i) => `v${i}`)
        for (const text of written) write("s1", text.padEnd(60, "."))
        const file = which === 0 ? 0 : 1
        const at = bit % files[file].size()
        flip(file, at)
        open()
        const found = inTables("s1").replace(/\.*\{\}$/u, "")
        expect(["Absent", ...written]).toContain(found)
        const isWhole = found === (written.at(-1) ?? "Absent")
        if (!isWhole) expect(store.storeId !== "store1" || store.changes < count).toBe(true)
      })
    )
  })
})

const record = (number: number, previous: number): Uint8Array => {
  const group = Buffer.from(`group ${number}`)
  const bytes = Buffer.alloc(recordBytes(group.length + 1))
  writeRecord(bytes, { number, previous, groups: [group] })
  return bytes
}

describe("a file of records", () => {
  it("is read up to its torn end", () => {
    const whole = Buffer.concat([Buffer.alloc(headerBytes), record(5, 4), record(7, 5)])
    for (let length = 0; length <= whole.length; length++) {
      const { isDamaged, records } = scanLog(whole.subarray(0, length), 4)
      expect(isDamaged).toBe(false)
      const end = [headerBytes + 40, whole.length].filter((at) => at <= length + 7).length
      expect(Math.abs(records.length - end)).toBeLessThanOrEqual(1)
    }
    expect(scanLog(whole, 4).records.map(({ number }) => number)).toEqual([5, 7])
  })

  it("has no record of before behind its end", () => {
    const bytes = Buffer.concat([Buffer.alloc(headerBytes), record(9, 8), record(3, 2)])
    const { greatest, isDamaged, records } = scanLog(bytes, 8)
    expect(records.map(({ number }) => number)).toEqual([9])
    expect([isDamaged, greatest]).toEqual([false, 9])
  })
})
