/** Commits while another thread folds, or seems to: what waits for it, and what does not. */
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Committer } from "../../src/storage/Committer.ts"
import type { Folder, FoldOutcome, FoldWork } from "../../src/storage/Folder.ts"
import { MemoryLogFile } from "../../src/storage/LogFile.ts"
import { openStore } from "../../src/storage/OpenStore.ts"
import { Reader } from "../../src/storage/Reader.ts"
import type { StorageFailure } from "../../src/storage/Storage.ts"
import { pack } from "../../src/storage/WorkerProtocol.ts"
import { accepted, batchOf, commit, keyOf, put, shown } from "./documents.ts"
import {
  identity,
  type OpenStorage,
  type StorageFixture,
  workerFixture
} from "./storageFixtures.ts"

/** Folds when the test says so, and takes the records' memory away meanwhile. */
class Elsewhere implements Folder {
  readonly isElsewhere = true
  slices = 0
  begun = 0
  #work: FoldWork | undefined
  #ended: (outcome: FoldOutcome) => void = () => {}

  begin({ end, records }: FoldWork, ended: (outcome: FoldOutcome) => void): void {
    this.begun++
    const memory = structuredClone(records.buffer, { transfer: [records.buffer] })
    this.#work = { end, records: new Uint8Array(memory, records.byteOffset, records.byteLength) }
    this.#ended = ended
  }

  end(failure?: StorageFailure): void {
    const memory = this.#work!.records.buffer
    this.#work = undefined
    this.#ended({ failure, memory })
  }

  goOn(): void {}
  finish(): void {}
  drop(): void {}
}

const full: StorageFailure = { kind: "full", detail: "injected" }
const limits = { logBytesMax: 2_000, logGrowthBytes: 1, foldRowsMax: 100 }

describe("while another thread folds", () => {
  let database: DatabaseSync
  let folder: Elsewhere
  let committer: Committer
  let sequence = 0

  const open = (): void => {
    folder = new Elsewhere()
    const options = { identity, fileBytesMax: 2 ** 30, newStoreId: "store", limits, folder }
    const files = [new MemoryLogFile(), new MemoryLogFile()] as const
    ;({ committer } = openStore(database, files, options))
  }
  beforeEach(() => {
    database = new DatabaseSync(":memory:")
    open()
  })

  const groupOf = (name: string, text: string): Uint8Array =>
    pack([accepted(batchOf(put(keyOf(name), text)), ++sequence)])
  const inTables = (name: string): string =>
    shown(new Reader(database).read(keyOf(name), undefined))

  /** Commits until a group must wait; how many it took. */
  const commitUntilItMustWait = (text: string): number => {
    for (let i = 0;; i++) {
      const group = groupOf(`s${i}`, text)
      if (committer.mustWait([group])) return i
      expect(committer.commit([group])).toBeUndefined()
    }
  }

  it("commits go to the other file of the log, and wait where that one is full", () => {
    const count = commitUntilItMustWait("v")
    expect(folder.begun).toBe(1)
    expect(count).toBeGreaterThan(10)
    expect(committer.isFoldingElsewhere).toBe(true)
    folder.end()
    const group = groupOf("slast", "v")
    expect(committer.mustWait([group])).toBe(false)
    expect(committer.commit([group])).toBeUndefined()
    expect(folder.begun).toBe(2)
  })

  it("a group that is longer than the log waits for the end of the fold", () => {
    while (folder.begun === 0) committer.commit([groupOf("s1", "v1")])
    const large = groupOf("slarge", "v".repeat(3_000))
    expect(committer.mustWait([large])).toBe(true)
    folder.end()
    expect(committer.mustWait([large])).toBe(false)
    expect(committer.commit([large])).toBeUndefined()
    expect(inTables("slarge")).toHaveLength(3_002)
  })

  it("a fold that fails gives its records back: the next commit writes all into the tables", () => {
    const count = commitUntilItMustWait("v")
    folder.end(full)
    const group = groupOf("slast", "v")
    expect(committer.mustWait([group])).toBe(false)
    expect(committer.commit([group])).toBeUndefined()
    expect(committer.isFolded).toBe(true)
    for (let i = 0; i < count; i++) expect(inTables(`s${i}`)).toBe("v{}")
    expect(inTables("slast")).toBe("v{}")
    // The memory of both files serves again.
    expect(commitUntilItMustWait("v2")).toBe(count)
    folder.end(full)
    expect(committer.settle()).toBeUndefined()
    for (let i = 0; i < count; i++) expect(inTables(`s${i}`)).toBe("v2{}")
  })
})

describe("a storage with threads of its own", () => {
  let fixture: StorageFixture
  let storage: OpenStorage
  beforeEach(async () => {
    fixture = workerFixture({ logBytesMax: 20_000, foldRowsMax: 1_000 })
    storage = await fixture.open()
  })
  afterEach(async () => {
    await storage.close()
    fixture.remove()
  })

  const countDocuments = (): unknown =>
    fixture.raw((database) => database.prepare("SELECT count(*) AS n FROM documents").get()?.["n"])

  /** Each row that is written takes a while then. */
  const slowDown = (): void =>
    fixture.raw((database) =>
      database.exec(
        `CREATE VIEW slow AS SELECT max(n) AS n FROM (WITH RECURSIVE counted(n) AS
           (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 400000) SELECT n FROM counted);
         CREATE TRIGGER slow_rows BEFORE INSERT ON documents BEGIN SELECT n FROM slow; END`
      )
    )

  it("acknowledges commits while the tables take the rows of a fold", async () => {
    slowDown()
    const large = "v".repeat(4_000)
    // Some fill one file of the log, the next one begins its fold, and the rest comes meanwhile.
    for (let i = 0; i < 6; i++) {
      expect(await commit(storage.service, put(keyOf(`s${i}`), large))).toBeUndefined()
    }
    expect(countDocuments()).toBe(0)
  })
})
