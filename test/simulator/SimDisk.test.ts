// Checks that the simulated disk is the storage of the product, as its callers see it, and that it
// loses the data that it must lose and no others.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import type { Batch, StorageService } from "../../src/storage/Storage.ts"
import type { StorageLimits } from "../../src/storage/StorageOptions.ts"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import { loseRow, nameOf, rot, staleRow } from "../../src/testing/simulator/DiskImage.ts"
import { Kernel, type Owner } from "../../src/testing/simulator/Kernel.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { SimDisk } from "../../src/testing/simulator/SimDisk.ts"
import { batchOf, bytesOf, keyOf, put, removal, shown, shownRow } from "../storage/documents.ts"
import { identity } from "../storage/storageFixtures.ts"

const owner = (name: string): Owner => ({ name, alive: true, paused: false })

const diskOf = (seed = 1, limits: StorageLimits = lan.node) => {
  const kernel = new Kernel(stream(seed, "schedule"))
  const written: Array<string> = []
  const disk = new SimDisk({
    kernel,
    random: stream(seed, "disk"),
    storeId: stream(seed, "store").id,
    limits,
    wrote: (key) => written.push(key.partitionKey),
    did: () => {}
  })
  const incarnation = disk.open(owner("first"))
  return { kernel, disk, written, ...incarnation }
}

const keys = ["s1", "s2", "s3"].map((name) => keyOf(name))
const cart = keys[0]!

/** The actions of a caller; documents are rewritten whole, so that counts of elements fit. */
type Command =
  | { readonly kind: "put"; readonly key: number; readonly paths: ReadonlyArray<string> }
  | { readonly kind: "remove"; readonly key: number }
  | { readonly kind: "hint"; readonly arrival: number; readonly value: string | undefined }
  | { readonly kind: "commit" }

const key = fc.nat({ max: keys.length - 1 })
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant("put" as const),
    key,
    paths: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 })
  }),
  fc.record({ kind: fc.constant("remove" as const), key }),
  fc.record({
    kind: fc.constant("hint" as const),
    arrival: fc.nat({ max: 3 }),
    value: fc.option(fc.string({ unit: "grapheme", maxLength: 3 }), { nil: undefined })
  }),
  fc.constant({ kind: "commit" as const })
)

const batchOfCommand = (command: Command, index: number): Batch | undefined => {
  switch (command.kind) {
    case "remove":
      return batchOf(removal(keys[command.key]!))
    case "put": {
      const elements = Object.fromEntries(command.paths.map((path) => [path, `${path}${index}`]))
      return batchOf(removal(keys[command.key]!), put(keys[command.key]!, `h${index}`, elements))
    }
    case "hint": {
      const bytes = command.value === undefined ? undefined : bytesOf(command.value)
      return { documents: [], rows: [{ family: "hint", key: ["n2", command.arrival], bytes }] }
    }
    case "commit":
      return undefined
  }
}

const seen = (service: StorageService) => ({
  documents: keys.map((at) => shown(service.read(at))),
  sequences: keys.map((at) => {
    const result = service.read(at)
    return result._tag === "Found" ? result.document.sequence : undefined
  }),
  scanned: [undefined, ...keys].map((after) => service.scan({ partition: 7, after, limit: 2 })),
  hint: shownRow(service.readRow("hint", ["n2", 1])),
  hints: [undefined, 0, 1].map((arrival) =>
    service.scanRows({
      family: "hint",
      under: ["n2"],
      after: arrival === undefined ? undefined : ["n2", arrival],
      limit: 2
    })
  ),
  healthy: service.healthy()
})

const small = fc.constantFrom(1, 3, 1_000)

const limits: fc.Arbitrary<StorageLimits> = fc.record({
  groupChangesMax: small,
  groupBytesMax: fc.constantFrom(1, 300, 100_000),
  groupsInFlightMax: fc.constantFrom(1, 2),
  waitingChangesMax: small,
  waitingBytesMax: fc.constantFrom(1, 300, 100_000),
  storageBytesMax: fc.constant(lan.node.storageBytesMax)
})

describe("the simulated disk", () => {
  it("answers and refuses as the product's storage does, committed or not", () => {
    fc.assert(fc.property(fc.array(command, { maxLength: 40 }), limits, (commands, some) => {
      const { kernel, service } = diskOf(1, some)
      let turn: Array<() => void> = []
      const endOfTurn = (task: () => void) => void turn.push(task)
      const runtime = { endOfTurn, id: stream(1, "store").id }
      const memory = new MemoryDisk()
      const direct = openDirect({ directory: memory, identity, runtime, limits: some })
      const acknowledged = [0, 0]
      commands.forEach((command, index) => {
        const batch = batchOfCommand(command, index)
        const numbers = [service, direct.service].map((storage, which) =>
          batch === undefined ? [] : storage.write(batch, () => acknowledged[which]!++)
        )
        expect(numbers[0]).toEqual(numbers[1])
        if (command.kind === "commit") {
          kernel.run(kernel.now + 10_000)
          for (const task of turn.splice(0)) task()
          expect(acknowledged[0]).toBe(acknowledged[1])
        }
        expect(seen(service)).toEqual(seen(direct.service))
      })
      turn = []
      memory.database.close()
    }))
  })

  it("keeps acknowledged writes through a crash, and a beginning of the others", () => {
    const kept = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const { crash, disk, kernel, service } = diskOf(seed)
      service.write(batchOf(put(cart, "acknowledged")), () => {})
      kernel.run(10_000)
      for (const name of ["first", "second"]) service.write(batchOf(put(cart, name)), () => {})
      crash()
      kept.add(shown(disk.open(owner("second")).service.read(cart)))
    }
    expect(kept).toEqual(new Set(["acknowledged{}", "first{}", "second{}"]))
  })

  it("acknowledges nothing before it is durable, and nothing to the dead", () => {
    const { disk, kernel, service, written } = diskOf()
    const log: Array<string> = []
    const dead = owner("dead")
    disk.open(dead).service.write(
      batchOf(put(keys[1]!, "of the dead")),
      () => log.push("of the dead")
    )
    service.write(batchOf(put(cart, "v")), () => log.push(`acknowledged after ${written.length}`))
    expect([log, written]).toEqual([[], []])
    dead.alive = false
    kernel.run(10_000)
    expect(log).toEqual(["acknowledged after 1"])
  })

  it("fails all that waits when a commit fails, hides it, and works again", () => {
    const { disk, kernel, service } = diskOf()
    const failures: Array<string | undefined> = []
    disk.setMood(1, { errorShare: 1 })
    service.write(batchOf(put(cart, "v1")), (failure) => failures.push(failure?.kind))
    kernel.soon(
      owner("later"),
      () => service.write(batchOf(put(cart, "v2")), (failure) => failures.push(failure?.kind))
    )
    kernel.run(10_000)
    expect(failures).toEqual(["failing", "failing"])
    expect([service.healthy(), shown(service.read(cart))]).toEqual([false, "Absent"])
    disk.setMood(1, { fullShare: 1 })
    service.write(batchOf(put(cart, "v3")), (failure) => failures.push(failure?.kind))
    kernel.run(20_000)
    disk.setMood(1)
    service.write(batchOf(put(cart, "v4")), (failure) => failures.push(failure?.kind))
    kernel.run(30_000)
    expect(failures.slice(2)).toEqual(["full", undefined])
    expect([service.healthy(), shown(service.read(cart))]).toEqual([true, "v4{}"])
  })

  it("knows a flipped bit and a missing part for damage, and a write mends it", () => {
    for (const harm of [rot, loseRow]) {
      const results = new Set<string>()
      for (let seed = 0; seed < 20; seed++) {
        const { disk, kernel, service } = diskOf()
        service.write(batchOf(put(cart, "v", { a: "1", b: "2" })), () => {})
        kernel.run(10_000)
        expect(disk.damage(stream(seed, "harm"), harm)).toBeDefined()
        results.add(service.read(cart)._tag)
        service.write(batchOf(removal(cart), put(cart, "mended")), () => {})
        kernel.run(20_000)
        expect(shown(service.read(cart))).toBe("mended{}")
      }
      expect(results).toEqual(new Set(harm === rot ? ["Damaged"] : ["Damaged", "Absent"]))
    }
  })

  it("reads a document that lost its last row as absent", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { disk, kernel, service } = diskOf()
      service.write(batchOf(put(cart, "v", { a: "1", b: "2" })), () => {})
      kernel.run(10_000)
      const random = stream(seed, "harm")
      const rest = () => disk.image.documents.get(nameOf(cart))
      while (rest()?.header !== undefined || (rest()?.elements.size ?? 0) > 0) {
        expect(disk.damage(random, loseRow)).toBeDefined()
      }
      expect(service.read(cart)._tag).toBe("Absent")
    }
  })

  it("gives back old versions without a word, one document's or all", () => {
    const { disk, kernel, service } = diskOf()
    for (const version of ["v1", "v2", "v3"]) {
      service.write(batchOf(put(cart, version)), () => {})
      kernel.run(kernel.now + 10_000)
    }
    const results = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      disk.damage(stream(seed, "harm"), staleRow)
      results.add(shown(service.read(cart)))
    }
    expect(results).toEqual(new Set(["v1{}", "v2{}"]))
    expect(disk.rewind(2)).toBe(true)
    expect(shown(service.read(cart))).toBe("v1{}")
    expect(disk.wipe()).toBe(true)
    expect(shown(service.read(cart))).toBe("Absent")
  })
})
