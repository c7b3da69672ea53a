// Checks that the torn disk treats unsynced writes as disks do, and no worse.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { stream } from "../../../src/testing/simulator/SeededRandom.ts"
import { TornDisk } from "./TornDisk.ts"

type Step =
  | { readonly kind: "write"; readonly offset: number; readonly length: number }
  | { readonly kind: "truncate"; readonly size: number }
  | { readonly kind: "sync" }

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      offset: fc.nat(3000),
      length: fc.integer({ min: 1, max: 2000 })
    }),
    fc.record({ kind: fc.constant("truncate" as const), size: fc.nat(3000) }),
    fc.constant({ kind: "sync" as const })
  ),
  { maxLength: 12 }
)

/** Takes the steps on one file; each write has a byte of its own. Returns what the file held. */
const take = (disk: TornDisk, plan: ReadonlyArray<Step>): ReadonlyArray<Buffer> => {
  const file = disk.open("file")
  disk.syncDirectory()
  let held = [Buffer.alloc(0)]
  for (const [index, step] of plan.entries()) {
    if (step.kind === "sync") {
      file.sync()
      held = held.slice(-1)
      continue
    }
    if (step.kind === "truncate") file.truncate(step.size)
    else file.write(step.offset, new Uint8Array(step.length).fill(index + 1))
    held.push(Buffer.from(file.read(0, file.size)))
  }
  return held
}

const contentOf = (disk: TornDisk, name: string): Buffer | undefined => {
  const bytes = disk.files.find(([known]) => known === name)?.[1]
  return bytes && Buffer.from(bytes)
}

/** Which files there may be after a cut. */
const outcomes = (sync: boolean) =>
  new Set(Array.from({ length: 50 }, (_, seed) => {
    const disk = new TornDisk()
    disk.open("old")
    disk.syncDirectory()
    disk.remove("old")
    disk.open("new")
    if (sync) disk.syncDirectory()
    disk.restorePower(stream(seed, "cut"))
    return disk.files.map(([name]) => name).join()
  }))

describe("the disk", () => {
  it("keeps all synced bytes, and may lose any others", () => {
    fc.assert(fc.property(steps, fc.nat(), (plan, seed) => {
      const disk = new TornDisk()
      const content = take(disk, [...plan, { kind: "sync" }]).at(-1)
      disk.restorePower(stream(seed, "cut"))
      expect(contentOf(disk, "file")).toEqual(content)
    }))
  })

  it("has after a power cut only written bytes, or zeros where the file grew", () => {
    fc.assert(fc.property(steps, fc.nat(), (plan, seed) => {
      const disk = new TornDisk()
      const held = take(disk, plan)
      disk.restorePower(stream(seed, "cut"))
      const found = [...contentOf(disk, "file") ?? []]
      const strange = found.findIndex((byte, at) =>
        byte !== 0 && !held.some((version) => version[at] === byte)
      )
      expect(strange).toBe(-1)
    }))
  })

  it("shows a process its writes at once, and after a cut those that the disk kept", () => {
    const disk = new TornDisk()
    const file = disk.open("file")
    disk.syncDirectory()
    file.write(0, new Uint8Array(512).fill(1))
    expect([...file.read(510, 10)]).toEqual([1, 1])
    disk.restorePower(stream(1, "cut"))
    const reopened = disk.open("file")
    expect(Buffer.from(reopened.read(0, 512))).toEqual(contentOf(disk, "file"))
  })

  it("may bring back deleted files and forget new ones, until a sync", () => {
    expect([...outcomes(false)].sort()).toEqual(["", "new", "new,old", "old"])
    expect([...outcomes(true)]).toEqual(["new"])
  })

  it("does nothing more once its power is cut in the middle of a change", () => {
    const disk = new TornDisk()
    const file = disk.open("file")
    file.write(0, Uint8Array.of(1))
    disk.cutPower(1)
    expect(() => file.write(0, Uint8Array.of(2))).toThrow("the disk is off")
    for (const act of [() => file.sync(), () => file.size, () => disk.open("other")]) {
      expect(act).toThrow("the disk is off")
    }
    disk.restorePower(stream(1, "cut"))
    expect(disk.exists("other")).toBe(false)
  })
})
