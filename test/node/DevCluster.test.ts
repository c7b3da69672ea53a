/** A few nodes in one process: they replicate, one may crash, one may be cut off. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { expect, it } from "vitest"
import { DevFigures } from "../../src/cli/DevFigures.ts"
import { makeClient } from "../../src/client/Everwrite.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { type DevCluster, resolveDev, startDev } from "../../src/node/DevCluster.ts"
import { notes, sampleBuckets, visits } from "../../src/node/SampleBuckets.ts"
import { fromObject } from "../../src/node/Setting.ts"
import { startBroker } from "../../src/transport/broker/Broker.ts"
import { until } from "../tooling/until.ts"
import { useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

const run = <A, E>(
  program: (cluster: DevCluster) => Effect.Effect<A, E, Scope.Scope>,
  given: object = {},
  nodes?: number
): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const values = { dataDir: folder(), http: false, ...given }
    const settings = yield* resolveDev([fromObject(values, "the test")], {
      samples: true,
      nodes
    })
    return yield* program(yield* startDev(settings, sampleBuckets, 0))
  })))

const n1 = NodeId.make("n1")
const n2 = NodeId.make("n2")
const n3 = NodeId.make("n3")

/** A client of one node, as it runs now. */
const clientOf = (cluster: DevCluster, node: NodeId) => {
  const live = cluster.nodes().find(({ settings }) => settings.node === node)
  if (live === undefined) throw new Error(`${node} does not run`)
  return makeClient(live.backend)
}

it("every node holds each write that one of them acknowledges", async () => {
  await run((cluster) =>
    Effect.gen(function*() {
      yield* clientOf(cluster, n1).bucket(visits).add("home", 7, { w: "all" })
      for (const node of [n1, n2, n3]) {
        const held = yield* clientOf(cluster, node).bucket(visits).get("home", { r: "one" })
        expect(held).toBe(7)
      }
    })
  )
})

it("a node that crashes under load comes back with every write it had acknowledged", async () => {
  const sum = await run((cluster) =>
    Effect.gen(function*() {
      const counts = clientOf(cluster, n2).bucket(visits)
      const sum = { acknowledged: 0 }
      const add = counts.add("home", 1, { w: "one", dw: "one" }).pipe(
        Effect.tap(() => Effect.sync(() => void sum.acknowledged++)),
        Effect.ignore
      )
      const load = yield* Effect.forkScoped(
        Effect.forEach(Array.from({ length: 500 }), () => add, { concurrency: 16, discard: true })
      )
      while (sum.acknowledged < 50) yield* Effect.sleep(1)
      yield* cluster.kill(n2)
      expect(cluster.nodes().map(({ settings }) => settings.node)).toEqual([n1, n3])
      yield* cluster.revive(n2)
      load.interruptUnsafe()
      const held = yield* clientOf(cluster, n2).bucket(visits).get("home", { r: "all" })
      return { ...sum, held: held ?? 0 }
    })
  )
  expect(sum.acknowledged).toBeGreaterThanOrEqual(50)
  expect(sum.held).toBeGreaterThanOrEqual(sum.acknowledged)
})

it("both sides of a cut take writes, and after it both writes are there", async () => {
  await run((cluster) =>
    Effect.gen(function*() {
      const alone = { w: "one", dw: "one", timeout: "500 millis" } as const
      cluster.isolate(n3)
      const far = clientOf(cluster, n3)
      const near = clientOf(cluster, n1)
      yield* far.bucket(visits).add("home", 1, alone)
      yield* near.bucket(visits).add("home", 10, alone)
      yield* notesOf(far).replace(yield* notesOf(far).entry("n", { r: "one" }), "far", alone)
      yield* notesOf(near).replace(yield* notesOf(near).entry("n", { r: "one" }), "near", alone)
      expect(yield* far.bucket(visits).get("home", { r: "one" })).toBe(1)
      cluster.heal()
      expect(yield* near.bucket(visits).get("home", { r: "all" })).toBe(11)
      const siblings = yield* notesOf(near).get("n", { r: "all" })
      expect(new Set(siblings)).toEqual(new Set(["far", "near"]))
    })
  )
})

it("of five nodes others keep what one misses, say so, and hand it over", async () => {
  await run(
    (cluster) =>
      Effect.gen(function*() {
        const figures = new DevFigures(cluster)
        let line = figures.news() ?? ""
        const told = (what: RegExp) =>
          Effect.promise(() =>
            until(`the figures show ${what}`, () => {
              line = figures.news() ?? line
              return what.test(line)
            }, { withinMillis: 60_000 })
          )
        expect(line).not.toContain("owed")
        yield* cluster.kill(n2)
        const keys = Array.from({ length: 20 }, (_, index) => `home${index}`)
        const counts = clientOf(cluster, n1).bucket(visits)
        yield* Effect.forEach(keys, (key) => counts.add(key, 1), { concurrency: 4 })
        yield* told(/n2 stopped.* owed n2 \d+ \(at n\d/u)
        yield* cluster.revive(n2)
        yield* told(/peers n1 4\/4, n2 4\/4.*conflicts \d+ {3}handed over \d+$/u)
      }),
    {},
    5
  )
})

const notesOf = (client: ReturnType<typeof clientOf>) => client.bucket(notes)

it("the nodes' ports count up from the first, and a taken one is named", async () => {
  const starting = run((cluster) => {
    const [first, ...others] = cluster.nodes().map(({ address }) => Number(address?.split(":")[2]))
    expect(others).toEqual([first! + 1, first! + 2])
    const again = resolveDev([
      fromObject({ dataDir: `${folder()}/other`, http: first }, "the test")
    ], { samples: true }).pipe(
      Effect.flatMap((settings) => startDev(settings, sampleBuckets, 0))
    )
    return Effect.flip(again).pipe(Effect.map(({ message }) => ({ message, first })))
  }, { http: 20_000 + Math.floor(Math.random() * 12_000) })
  const { first, message } = await starting
  expect(message).toMatch(/^no HTTP on 127\.0\.0\.1:\d+: the port is taken$/)
  expect(Number(message.split(":")[1])).toBeGreaterThanOrEqual(first!)
})

it("the address of a broker of its own is told without the password in it", async () => {
  const broker = await startBroker()
  try {
    const nats = broker.url.replace("://", "://svc:s3cret@")
    expect(await run(({ natsUrl }) => Effect.succeed(natsUrl), { nats })).toBe(broker.url)
  } finally {
    await broker.close()
  }
})
