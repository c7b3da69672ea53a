/**
 * Flips single bits of a whole file, as disks do, and reads everything: SQLite alone would
 * return wrong values and find nothing amiss.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { openDirect } from "../../src/storage/DirectStorage.ts"
import {
  type RowKey,
  ScanFailed,
  type StorageService,
  StorageUnavailable
} from "../../src/storage/Storage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { commit, keyOf, put, shown } from "./documents.ts"
import { directFixture, identity } from "./storageFixtures.ts"

const flips = 300
const keys = Array.from({ length: 100 }, (_, i) => keyOf(`s${i}`))
const contents = keys.map((_, i) =>
  [`header ${i} `.repeat(i), { a: "x".repeat(i), b: `${i}` }] as const
)

const makeFile = async (): Promise<Uint8Array> => {
  const fixture = directFixture()
  const { service, close } = await fixture.open()
  await commit(service, ...keys.map((key, i) => put(key, ...contents[i]!)))
  await close()
  const file = readFileSync(join(fixture.directory!, "store.sqlite"))
  fixture.remove()
  return file
}

/** However keys are damaged, a scan goes on from each page to the next, or says that it cannot. */
const scanToTheEnd = (service: StorageService): void => {
  let pages = 0
  try {
    for (let after: RowKey | undefined;;) {
      const page = service.scan({ partition: 7, after, limit: 3 })
      if (page.length === 0) return
      after = page.at(-1)
      expect(pages++).toBeLessThan(keys.length)
    }
  } catch (error) {
    expect(error).toBeInstanceOf(ScanFailed)
  }
}

/** How each document reads from a file of these bytes; undefined where it cannot be opened. */
const readAll = (directory: string, file: Uint8Array): ReadonlyArray<string> | undefined => {
  mkdirSync(directory)
  writeFileSync(join(directory, "store.sqlite"), file)
  try {
    const storage = openDirect({ directory, identity, runtime: liveRuntime })
    const read = keys.map((key) => shown(storage.service.read(key)))
    scanToTheEnd(storage.service)
    storage.close()
    return read
  } catch (error) {
    if (error instanceof StorageUnavailable) return undefined
    throw error
  } finally {
    rmSync(directory, { recursive: true })
  }
}

it("no flipped bit of the file changes a document: it is damaged, or missing", async () => {
  const parent = mkdtempSync(join(tmpdir(), "everwrite-damage-"))
  const file = await makeFile()
  const expected = keys.map((_, i) => `${contents[i]![0]}{a=${contents[i]![1].a},b=${i}}`)
  const directory = join(parent, "data")
  expect(readAll(directory, file)).toEqual(expected)
  const count = { damaged: 0, missing: 0, unopened: 0 }
  for (let flip = 0; flip < flips; flip++) {
    const bit = Math.floor(Math.random() * file.length * 8)
    const damaged = Uint8Array.from(file)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    const read = readAll(directory, damaged)
    if (read === undefined) count.unopened++
    for (const [i, text] of read?.entries() ?? []) {
      if (text === "Damaged") count.damaged++
      else if (text === "Absent") count.missing++
      else expect(text, `after flipping bit ${bit}`).toBe(expected[i])
    }
  }
  expect(count.damaged).toBeGreaterThan(flips / 4)
  rmSync(parent, { recursive: true })
})
