// Checks reads of several buckets at once, as Promises and as Effects.
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest"
import { Everwrite, layerBackend } from "../../src/client/Everwrite.ts"
import type { ViewOf } from "../../src/client/BucketTypes.ts"
import type { Entry } from "../../src/client/Entry.ts"
import { makeDb } from "../../src/client/Promises.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"
import { notes, profiles, scores } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { until } from "../tooling/until.ts"

let cluster: MemoryCluster
beforeAll(async () => {
  cluster = await makeCluster({ nodes: 3, buckets: [profiles, notes], timeoutMillis: 60_000 })
  await open().people.put("ada", { name: "Ada" })
})
afterAll(() => cluster.stop())

const buckets = { people: profiles, notes, scores }
const open = () => makeDb(buckets, cluster.backends[0]!, async () => undefined)
const run = <A>(effect: Effect.Effect<A, never, Everwrite>) =>
  Effect.runPromise(Effect.provide(effect, layerBackend(cluster.backends[0]!)))

/** The outcomes of both forms, as the one of Promises gives them. */
const forms = [
  [
    "as Promises",
    (people: ReadonlyArray<string>) => open().many({ people, scores: ["ada"], notes: [] })
  ],
  [
    "as Effects",
    async (people: ReadonlyArray<string>) => {
      const read = await run(Everwrite.many({
        people: [profiles, people],
        scores: [scores, ["ada"]],
        notes: [notes, []]
      }))
      return Object.fromEntries(
        Object.entries(read).map(([name, outcomes]) => [
          name,
          outcomes.map((outcome) =>
            Result.isSuccess<unknown, StoreError>(outcome)
              ? outcome.success
              : { _tag: "Failed", error: outcome.failure }
          )
        ])
      )
    }
  ]
] as const

describe.each(forms)("reads of several buckets, %s", (_, many) => {
  it("are answered each for itself, in the order of the keys, whichever fails", async () => {
    const read = await many(["eve", "ada"])
    expect(Object.keys(read)).toEqual(["people", "scores", "notes"])
    expect(read["people"]).toMatchObject([
      { _tag: "Absent", key: "eve" },
      { _tag: "Found", key: "ada", value: { name: "Ada" } }
    ])
    expect(read["scores"]).toMatchObject([
      { _tag: "Failed", error: { _tag: "UnknownBucket", request: { bucket: "scores" } } }
    ])
    expect(read["notes"]).toEqual([])
  })
})

describe("reads of several buckets as an Effect", () => {
  it("have the types of their buckets", async () => {
    const read = await run(Everwrite.many({ people: [profiles, ["ada"]], notes: [notes, ["x"]] }))
    const [ada] = read.people
    expectTypeOf(ada!).toEqualTypeOf<
      Result.Result<Entry<"profiles", string, ViewOf<typeof profiles>>, StoreError>
    >()
    expect(ada).toMatchObject({ success: { value: { name: "Ada" } } })
    // @ts-expect-error a key is one of its bucket's
    void Everwrite.many({ people: [profiles, [1]] })
  })

  it("are in the session of the program", async () => {
    const inside = Everwrite.inSession(Effect.gen(function*() {
      const store = yield* Everwrite
      const people = yield* Everwrite.bucket(profiles)
      yield* people.put("eve", { name: "Eve" }, { w: 1 }).pipe(Effect.orDie)
      return yield* store.many({ people: [profiles, ["eve"]] }, { r: 1 })
    }))
    expect((await run(inside)).people).toMatchObject([{ success: { value: { name: "Eve" } } }])
  })

  it("end with their fiber", async () => {
    cluster.cut(cluster.nodes[0]!.id)
    const reading = Everwrite.many({ people: [profiles, ["ada"]] }, { r: "all" })
    const fiber = Effect.runFork(Effect.provide(reading, layerBackend(cluster.backends[0]!)))
    const underWay = () => cluster.nodes[0]!.core.coordinator.counters().open
    await until("the node has it", () => underWay() > 0)
    await Effect.runPromise(Fiber.interrupt(fiber))
    expect(underWay()).toBe(0)
    cluster.heal()
  })
})
