// Checks where the bytes of large rows lie, and that they go with their rows.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type DirectStorage, MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import type { Batch } from "../../src/storage/Storage.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { keyOf, put, shown, shownHeader } from "./documents.ts"
import { identity } from "./storageFixtures.ts"

const large = (letter: string): string => letter.repeat(100_000)
const key = keyOf("slarge")
const other = keyOf("sother")

let disk: MemoryDisk
let storage: DirectStorage
let runtime: SteppedRuntime
beforeEach(() => {
  runtime = new SteppedRuntime()
  disk = new MemoryDisk()
  storage = openDirect({ directory: disk, identity, runtime, limits: { logBytesMax: 0 } })
})
afterEach(() => {
  storage.close()
  disk.database.close()
})

const write = (...documents: Batch["documents"]): void => {
  storage.service.write({ documents, rows: [] }, (failure) => expect(failure).toBeUndefined())
  runtime.runReady()
}
const removal = { key, header: undefined, elements: [], elementCount: 0 }
const contents = () => disk.database.prepare("SELECT count(*) AS n FROM contents").get()!["n"]
const read = (at = key) => {
  const whole = shown(storage.service.read(at))
  const alone = shownHeader(storage.service.readHeader(at))
  if (whole !== "Damaged") expect(whole.startsWith(alone)).toBe(true)
  return whole
}

describe("a large row", () => {
  it("is read as it was written, beside small ones and other large ones", () => {
    write(put(key, "header", { a: large("a"), b: "b" }), put(other, large("h")))
    expect(read()).toBe(`header{a=${large("a")},b=b}`)
    expect(read(other)).toBe(`${large("h")}{}`)
    expect(contents()).toBe(2)
  })

  it("leaves nothing behind where it is replaced, becomes small, or is removed", () => {
    write(put(key, large("h"), { a: large("a") }))
    for (const letter of ["b", "c"]) {
      write(put(key, large("h"), { a: large(letter) }))
      expect(read()).toBe(`${large("h")}{a=${large(letter)}}`)
      expect(contents()).toBe(2)
    }
    write(put(key, "small", { a: large("d") }))
    expect(contents()).toBe(1)
    write(put(key, "small", { a: undefined }, 0))
    expect([read(), contents()]).toEqual(["small{}", 0])
    write(put(key, large("h"), { a: large("a") }))
    write(removal)
    expect([read(), contents()]).toEqual(["Absent", 0])
    write(put(key, large("h"), { a: large("a") }))
    write(removal, put(key, large("i")))
    expect([read(), contents()]).toEqual([`${large("i")}{}`, 1])
  })

  it("is damaged where its bytes changed, are gone or another row's, and can be replaced", () => {
    for (
      const harm of [
        "UPDATE contents SET bytes = x'00'",
        "DELETE FROM contents",
        "UPDATE contents SET id = id + 1"
      ]
    ) {
      write(put(key, "header", { a: large("a") }), put(other, "header", { a: large("b") }))
      disk.database.exec(`${harm} WHERE id = (SELECT max(id) FROM contents)`)
      expect([read(), read(other)].filter((text) => text.startsWith("Damaged"))).toHaveLength(1)
      write(removal, { ...removal, key: other })
      write(put(key, "header", { a: large("a") }), put(other, "header", { a: large("b") }))
      expect([read(), read(other)]).toEqual([
        `header{a=${large("a")}}`,
        `header{a=${large("b")}}`
      ])
      disk.database.exec("DELETE FROM documents; DELETE FROM contents")
      write(put(key, large("h")))
      disk.database.exec(harm)
      expect(shownHeader(storage.service.readHeader(key))).toBe("Damaged")
      disk.database.exec("DELETE FROM documents; DELETE FROM contents")
    }
  })
})

it("rows beside their keys are short, so that a search for a key reads little of them", () => {
  for (const length of [4_095, 4_096, 4_097, 2 ** 20]) {
    write(put(keyOf(`s${length}`), "x".repeat(length)))
  }
  expect(disk.database.prepare("SELECT max(length(bytes)) AS n FROM documents").get()!["n"])
    .toBe(4_096)
  expect(contents()).toBe(2)
})
