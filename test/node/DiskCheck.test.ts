// Checks that a node says in what state its disk is, and notices by itself when it works again.
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { assert, it } from "@effect/vitest"
import { describe, expect } from "vitest"
import { Everwrite } from "../../src/client/Everwrite.ts"
import { lanWatch } from "../../src/core/model/WatchLimits.ts"
import { lan } from "../../src/core/model/Limits.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { watchDisk, type WatchedDisk } from "../../src/node/DiskCheck.ts"
import { EverwriteNode } from "../../src/node/Node.ts"
import type { StorageFailure, StorageService } from "../../src/storage/Storage.ts"
import * as Schema from "effect/Schema"
import { until } from "../tooling/until.ts"
import { nodeOnDisk, readyz } from "./nodeOnDisk.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

/** A disk that is as it is told, and counts what it is asked to write. */
const diskWith = (state: { trouble: StorageFailure | undefined; fault?: string }) => {
  const written = { count: 0 }
  const storage: WatchedDisk = {
    healthy: () => state.trouble === undefined,
    trouble: () => state.trouble,
    fault: () => state.fault,
    write: (_, done) => {
      written.count++
      done(state.trouble)
      return []
    }
  }
  return { written, storage }
}

describe("a disk that refused a commit", () => {
  it.effect("is tried once in a while until it works", () =>
    Effect.gen(function*() {
      const state: { trouble: StorageFailure | undefined } = {
        trouble: { kind: "full", detail: "of the test" }
      }
      const { storage, written } = diskWith(state)
      const fiber = yield* Effect.forkChild(watchDisk(storage, { ...lanWatch, ...lan.node }), {
        startImmediately: true
      })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(written.count, 10)
      state.trouble = undefined
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(written.count, 10)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect.each<[string, StorageFailure, string | undefined]>([
    ["whose thread stopped", { kind: "closed", detail: "the thread stopped" }, undefined],
    ["that lost data", { kind: "failing", detail: "the log was removed" }, "the log was removed"]
  ])("is not tried where it is one %s", ([, trouble, fault]) =>
    Effect.gen(function*() {
      const { storage, written } = diskWith({ trouble, ...fault === undefined ? {} : { fault } })
      const fiber = yield* Effect.forkChild(watchDisk(storage, { ...lanWatch, ...lan.node }), {
        startImmediately: true
      })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(written.count, 0)
      yield* Fiber.interrupt(fiber)
    }))
})

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })

const readyOf = async (address: string | undefined) => {
  const answer = await fetch(`${address}/readyz`)
  return { status: answer.status, text: await answer.text() }
}

const running = (
  settings: object,
  task: (
    address: string | undefined,
    live: EverwriteNode["Service"]
  ) => Effect.Effect<void, unknown, Everwrite>
) =>
  Effect.runPromise(
    Effect.gen(function*() {
      const live = yield* EverwriteNode
      yield* task(live.address, live)
    }).pipe(Effect.provide(EverwriteNode.layer({
      ...alone(folder()),
      http: 0,
      ...settings,
      buckets: [texts]
    })))
  )

describe("a node", () => {
  it("is not ready where its disk is full, says so, and refuses writes alike in each way", () =>
    running(
      { storageBytesMax: 1_048_576, logBytesMax: 1_048_576 },
      (address) =>
        Effect.gen(function*() {
          const bucket = yield* Everwrite.bucket(texts)
          expect((yield* Effect.promise(() => readyOf(address))).status).toBe(200)
          let refused: unknown
          for (let i = 0; i < 100 && refused === undefined; i++) {
            refused = yield* bucket.put(`k${i}`, "x".repeat(50_000)).pipe(
              Effect.match({ onFailure: (error) => error, onSuccess: () => undefined })
            )
          }
          // The first one was on its way to the disk when that refused it.
          expect(refused).toMatchObject({ _tag: "QuorumNotMet" })
          const next = yield* Effect.flip(bucket.put("next", "x"))
          expect(next).toMatchObject({ _tag: "NodeUnwritable" })
          // A few bytes fit, of which the disk is not told to be full until it is tried again.
          yield* Effect.promise(() =>
            until("the node says that its disk is full", async () => {
              const { status, text } = await readyOf(address)
              expect(status).toBe(503)
              return text.includes("the disk is full") && text.includes("make room")
            })
          )
          const byHttp = yield* Effect.promise(() =>
            fetch(`${address}/v1/buckets/texts/docs?key=other`, {
              method: "PUT",
              body: JSON.stringify("x".repeat(50_000)),
              headers: { "content-type": "application/json" }
            })
          )
          expect(byHttp.status).toBe(503)
          expect(yield* Effect.promise(() => byHttp.json())).toMatchObject({
            title: expect.any(String),
            type: expect.stringContaining("NodeUnwritable")
          })
          // Reads go on, and whether it lives is another question.
          expect(yield* bucket.get("k0")).toBe("x".repeat(50_000))
          const live = yield* Effect.promise(() => fetch(`${address}/livez`))
          expect(live.status).toBe(200)
        })
    ))

  it("is ready again by itself where its disk works again, though nobody writes", () => {
    const failure: StorageFailure = { kind: "failing", detail: "of the test" }
    const disk = { fails: false, isHealthy: true }
    const around = (service: StorageService): StorageService => ({
      ...service,
      healthy: () => disk.isHealthy,
      trouble: () => disk.isHealthy ? undefined : failure,
      write: (batch, done) => {
        if (!disk.fails) {
          return service.write(batch, (outcome) => {
            disk.isHealthy = outcome === undefined
            done(outcome)
          })
        }
        disk.isHealthy = false
        done(failure)
        return []
      }
    })
    const { buckets: _, ...settings } = alone(folder())
    const given = { settings: { ...settings, http: 0 }, buckets: [texts], around }
    return nodeOnDisk(given, async ({ live }) => {
      expect((await readyz(live)).status).toBe(200)
      disk.fails = true
      live.core.options.storage.write({ documents: [], rows: [] }, () => {})
      const failing = await readyz(live)
      expect(failing.status).toBe(503)
      expect(failing.text).toContain("the disk fails (of the test): it is tried again")
      disk.fails = false
      await until("the node is ready", async () => (await readyz(live)).status === 200)
    })
  })

  it("is not ready where its storage thread stays away, and says so", () =>
    running({}, (address, live) =>
      Effect.gen(function*() {
        yield* live.crash
        yield* Effect.promise(() =>
          until("the node notices", async () => {
            const { text } = await readyOf(address)
            return text.includes("the storage thread stopped") && text.includes("start this node")
          })
        )
        expect((yield* Effect.promise(() => readyOf(address))).status).toBe(503)
      })))
})
