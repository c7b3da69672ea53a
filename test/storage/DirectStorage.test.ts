/** Holds the same-thread storage, on a file and in memory, to the contract, and to its turns. */
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { layerDirect, MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import { Storage, StorageUnavailable } from "../../src/storage/Storage.ts"
import { storageContract } from "../contracts/storage.ts"
import { batchOf, keyOf, put, shown } from "./documents.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { directFixture, identity, memoryFixture } from "./storageFixtures.ts"

storageContract("on this thread, in a file", directFixture)
storageContract("on this thread, in memory", memoryFixture)

/** A runtime whose turns end when the test says so. */
const makeTurns = () => {
  let tasks: Array<() => void> = []
  const endTurn = () => {
    const due = tasks
    tasks = []
    for (const task of due) task()
  }
  const endOfTurn = (task: () => void) => void tasks.push(task)
  return { runtime: { endOfTurn, id: liveRuntime.id }, endTurn }
}

const cart = keyOf("scart")

it("the writes of one turn are committed as one group when it ends, and not before", () => {
  const { endTurn, runtime } = makeTurns()
  const { service } = openDirect({ directory: new MemoryDisk(), identity, runtime })
  const log: Array<string> = []
  for (const name of ["v1", "v2"]) {
    service.write(batchOf(put(cart, name)), () => {
      log.push(name)
      if (name === "v2") service.write(batchOf(put(cart, "v3")), () => log.push("v3"))
    })
  }
  expect([log, service.stats().groups]).toEqual([[], 0])
  endTurn()
  expect([log, service.stats().groups]).toEqual([["v1", "v2"], 1])
  endTurn()
  expect([log, service.stats().groups]).toEqual([["v1", "v2", "v3"], 2])
})

it("an abandoned storage calls no callback, and leaves only committed writes", () => {
  const { endTurn, runtime } = makeTurns()
  const directory = new MemoryDisk()
  const first = openDirect({ directory, identity, runtime })
  first.service.write(batchOf(put(cart, "v1")), () => {})
  endTurn()
  let called = 0
  const [lost = 0] = first.service.write(batchOf(put(cart, "v2")), () => called++)
  first.abandon()
  const second = openDirect({ directory, identity, runtime })
  endTurn()
  expect(called).toBe(0)
  expect(shown(second.service.read(cart))).toBe("v1{}")
  expect(second.service.write(batchOf(put(cart, "v2")), () => {})[0]).toBeGreaterThan(lost)
  first.service.write(batchOf(put(cart, "v3")), (failure) => expect(failure?.kind).toBe("closed"))
})

it("the layer opens a storage, and commits and closes it with its scope", () => {
  const { runtime } = makeTurns()
  const directory = new MemoryDisk()
  const options = { directory, identity, runtime }
  const use = Effect.gen(function*() {
    const storage = yield* Storage
    storage.write(batchOf(put(cart, "v1")), () => {})
    const second = yield* Effect.flip(Effect.provide(Storage, layerDirect(options)))
    expect(second).toBeInstanceOf(StorageUnavailable)
  })
  Effect.runSync(Effect.provide(use, layerDirect(options)))
  expect(shown(openDirect(options).service.read(cart))).toBe("v1{}")
})
