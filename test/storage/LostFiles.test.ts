// Checks that a store whose files are lost, or have a bad page, says so and acknowledges nothing,
// and that it is another store, or tells of fewer changes, when it starts again.
import * as Effect from "effect/Effect"
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { LogLimits } from "../../src/storage/StorageOptions.ts"
import { openWorker, type WorkerStorage } from "../../src/storage/WorkerStorage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { until } from "../tooling/until.ts"
import { commit, keyOf, put, shown } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

let directory = ""
let storage: WorkerStorage | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "everwrite-lost-"))
})
const close = async (): Promise<void> => {
  if (storage !== undefined) await Effect.runPromise(storage.close)
  storage = undefined
}
afterEach(async () => {
  await close()
  rmSync(directory, { recursive: true, force: true })
})

const open = async (fileCheckMillis = 600_000, more: Partial<LogLimits> = {}) => {
  const limits = { fileCheckMillis, ...more }
  storage = await Effect.runPromise(
    openWorker({ directory, identity, runtime: liveRuntime, limits })
  )
  return storage.service
}

const file = () => join(directory, "store.sqlite")
const log = () => `${file()}-wal`
const commits = (which: 0 | 1) => `${file()}-log-${which}`
const keys = Array.from({ length: 200 }, (_, i) => keyOf(`s${i}`))
const fill = async (): Promise<void> => {
  for (const key of keys) {
    expect(await commit(storage!.service, put(key, "x".repeat(500)))).toBeUndefined()
  }
}

/** Puts another file with the same bytes in its place. */
const replace = (path: string): void => {
  copyFileSync(path, `${path}.copy`)
  renameSync(`${path}.copy`, path)
}

const losses: ReadonlyArray<readonly [loss: string, harm: () => void, said: RegExp]> = [
  ["whose file is removed", () => rmSync(file()), /the file of the store was removed/],
  ["whose file is replaced", () => replace(file()), /the file of the store was replaced/],
  ["whose file is emptied", () => truncateSync(file()), /the file of the store became shorter/],
  ["whose log is removed", () => rmSync(log()), /the log of the store was removed/],
  ["whose log is replaced", () => replace(log()), /the log of the store was replaced/],
  ["whose log is emptied", () => truncateSync(log()), /the log of the store became shorter/],
  ["one of whose logs of commits is removed", () => rmSync(commits(0)), /commits was removed/],
  ["one of whose logs of commits is replaced", () => replace(commits(1)), /commits was replaced/],
  ["one of whose logs of commits is emptied", () => truncateSync(commits(0)), /became shorter/],
  ["whose directory is removed", () => rmSync(directory, { recursive: true }), /was removed/]
]

describe.each(losses)("an open store %s", (_, harm, said) => {
  it("acknowledges nothing any more, and is another store at its next start", async () => {
    const service = await open()
    await fill()
    const { storeId } = service
    harm()
    expect(await commit(service, put(keyOf("sa"), "v")))
      .toMatchObject({ kind: "failing", isLasting: true, detail: expect.stringMatching(said) })
    expect(service.fault?.()).toMatch(said)
    // A document that a replica holds already is not acknowledged either.
    expect(await new Promise((resolve) => service.barrier(resolve))).toMatchObject({
      detail: expect.stringMatching(said)
    })
    expect(await commit(service, put(keyOf("sa"), "v"))).toMatchObject({ isLasting: true })
    expect(service.healthy()).toBe(false)
    await close()
    const again = await open().catch((error: Error) => error)
    // SQLite refuses what is left of some.
    if (!(again instanceof Error)) {
      expect(again.storeId).not.toBe(storeId)
      expect(await commit(again, put(keyOf("sa"), "v"))).toBeUndefined()
    }
  })

  it("says so though nothing is written", async () => {
    const service = await open(10)
    await fill()
    harm()
    await until("it is noticed", () => service.fault?.() !== undefined)
    expect(service.fault?.()).toMatch(said)
    expect(service.healthy()).toBe(false)
  })
})

/** Ends the thread as a crash would, and leaves the directory free. */
const crash = async (): Promise<void> => {
  const path = mkdtempSync(join(tmpdir(), "everwrite-crashed-"))
  copyFileSync(file(), join(path, "store.sqlite"))
  for (const name of ["wal", "log-0", "log-1"]) {
    copyFileSync(`${file()}-${name}`, join(path, `store.sqlite-${name}`))
  }
  await close()
  rmSync(directory, { recursive: true })
  directory = path
}

const turn = (path: string, offset: number): void => {
  const bytes = readFileSync(path)
  bytes[offset]! ^= 1
  writeFileSync(path, bytes)
}

describe.each(
  [
    ["whose file was removed", () => rmSync(file())],
    ["whose file was emptied", () => truncateSync(file())],
    ["whose log was removed", () => rmSync(log())],
    ["whose log was emptied", () => truncateSync(log())],
    ["whose log has a turned bit in its header", () => turn(log(), 17)],
    ["one of whose logs of commits was removed", () => rmSync(commits(0))],
    ["both of whose logs of commits were removed", () => {
      rmSync(commits(0))
      rmSync(commits(1))
    }],
    ["one of whose logs of commits was emptied", () => truncateSync(commits(0))],
    ["whose log of commits has a turned bit in its header", () => turn(commits(0), 20)],
    ["whose log of commits has a turned bit in its first record", () => turn(commits(0), 600)],
    ["whose log of commits has a turned bit amid its records", () => turn(commits(0), 60_000)],
    ["whose file and log were removed", () => {
      rmSync(file())
      rmSync(log())
    }]
  ] as const
)("a store %s while it was down", (_, harm) => {
  it("has another id, or fewer changes than it told, or does not start", async () => {
    const service = await open()
    await fill()
    const { storeId } = service
    const told = service.committedChanges()
    await crash()
    harm()
    const again = await open().catch((error: Error) => error)
    if (again instanceof Error) return
    const isWhole = again.storeId === storeId && again.committedChanges() === told
    if (isWhole) { for (const key of keys) expect(again.read(key)._tag).toBe("Found") }
    else expect(again.storeId !== storeId || again.committedChanges() < told).toBe(true)
  })
})

const spoilPage = (): void => {
  const page = 4096
  const descriptor = openSync(file(), "r+")
  const { length } = readFileSync(file())
  // The last pages are leaves with documents.
  writeSync(descriptor, Buffer.alloc(100, 0xff), 0, 100, length - page)
  closeSync(descriptor)
}

describe("a store with a bad page", () => {
  it("serves its other pages, and takes no writes until it starts again", async () => {
    let service = await open()
    await fill()
    await close()
    spoilPage()
    service = await open()
    const tags = keys.map((key) => service.read(key)._tag)
    expect(tags).toContain("Damaged")
    expect(tags).toContain("Found")
    expect(service.fault?.()).toMatch(/a page of the file is bad/)
    for (let i = 0; i < 3; i++) {
      expect(await commit(service, put(keyOf(`snew${i}`), "v"))).toMatchObject({ isLasting: true })
      expect(service.healthy()).toBe(false)
    }
    expect(keys.map((key) => service.read(key)._tag)).toEqual(tags)
    expect(shown(service.read(keys[tags.indexOf("Found")]!))).toContain("xxx")
    await close()
    service = await open()
    expect(service.fault?.()).toBeUndefined()
  })

  it("that the read of a header alone meets says so, and takes no writes", async () => {
    await open()
    await fill()
    await close()
    spoilPage()
    const service = await open()
    expect(keys.map((key) => service.readHeader(key)._tag)).toContain("Damaged")
    expect(service.fault?.()).toMatch(/a page of the file is bad/)
    expect(await commit(service, put(keyOf("snew"), "v"))).toMatchObject({ isLasting: true })
  })

  it("that a write meets takes no more of them, and does not change its mind", async () => {
    await open()
    await fill()
    await close()
    spoilPage()
    const service = await open(600_000, { logBytesMax: 0 })
    const failures: Array<unknown> = []
    for (const key of keys) failures.push(await commit(service, put(key, "y")))
    const first = failures.findIndex((failure) => failure !== undefined)
    expect(first).toBeGreaterThanOrEqual(0)
    for (const failure of failures.slice(first)) expect(failure).toMatchObject({ isLasting: true })
    expect(service.healthy()).toBe(false)
  })

  it("that a fold meets takes no more writes, and loses none that it acknowledged", async () => {
    await open()
    await fill()
    await close()
    spoilPage()
    const service = await open(600_000, { logBytesMax: 8_000 })
    const acknowledged = new Set<(typeof keys)[number]>()
    let failure: unknown
    // A thread of its own folds: writes go on until it meets the page.
    for (let i = 0; failure === undefined; i++) {
      const key = keys[i % keys.length]!
      failure = await commit(service, put(key, "y"))
      if (failure === undefined) acknowledged.add(key)
    }
    expect(acknowledged.size).toBeGreaterThan(0)
    for (let i = 0; i < 3; i++) {
      expect(await commit(service, put(keys[i]!, "y"))).toMatchObject({ isLasting: true })
    }
    expect(failure).toMatchObject({ isLasting: true })
    expect(service.fault?.()).toMatch(/malformed/)
    for (const key of acknowledged) expect(shown(service.read(key))).toBe("y{}")
  })

  it("that its start meets says how to go on, and begins an empty store so", async () => {
    await open()
    await fill()
    await close()
    spoilPage()
    // The records of these writes stay in the log.
    const service = await open(600_000, { logBytesMax: 8_000 })
    for (const key of keys) await commit(service, put(key, "y"))
    await close()
    const refused = open().then(() => "opened", (error: unknown) => String(error))
    expect(await refused).toMatch(
      /store\.sqlite: database disk image is malformed; .*replicas.*move this file away, with/u
    )
    const away = mkdtempSync(join(tmpdir(), "everwrite-away-"))
    for (const name of readdirSync(directory).filter((each) => each.startsWith("store.sqlite"))) {
      renameSync(join(directory, name), join(away, name))
    }
    const empty = await open()
    expect(await commit(empty, put(keys[0]!, "z"))).toBeUndefined()
    expect(empty.read(keys[1]!)._tag).toBe("Absent")
    rmSync(away, { recursive: true })
  })
})
