// Checks that whole nodes and the Effect programs of their clients run on virtual time, and that
// the same seed gives the same run: real coordinators, replicas and SQLite, a transport in memory.
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { createSecretKey } from "node:crypto"
import { describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import * as EmbeddedBackend from "../../src/client/EmbeddedBackend.ts"
import { type EverwriteService, makeClient } from "../../src/client/Everwrite.ts"
import { tokenKey } from "../../src/core/clock/CausalContext.ts"
import { digest64 } from "../../src/core/Hash.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import * as MembershipLog from "../../src/core/ring/MembershipLog.ts"
import * as RingState from "../../src/core/ring/RingState.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import type { Runtime } from "../../src/core/Runtime.ts"
import { beginIncarnation, NodeCore } from "../../src/node/NodeCore.ts"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import { Kernel } from "../../src/testing/simulator/Kernel.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { Carts, Counts, Notes, simBuckets } from "../../src/testing/simulator/SimBuckets.ts"
import * as SimRuntime from "../../src/testing/simulator/SimRuntime.ts"
import * as EffectRuntime from "../../src/testing/simulator/EffectRuntime.ts"
import { tripwired, Unrepeatable } from "../../src/testing/Tripwires.ts"
import { makeMemoryBroker } from "../../src/transport/MemoryTransport.ts"
import type { TransportService } from "../../src/transport/Transport.ts"

const partitionCount = 8
const cluster = ClusterName.make("effects")
const buckets = Buckets.make(simBuckets)
const keys = { current: tokenKey(createSecretKey(Buffer.from("of a cluster on virtual time"))) }
const names = ["n1", "n2", "n3"].map((name) => NodeId.make(name))
const log = MembershipLog.form(names.map((id) => ({ id, weight: 1 })))
const ring = RingState.make({ partitionCount, replicaCount: 3, log })

/** A runtime of its own for each process, all on one kernel. */
const runtimesOf = (kernel: Kernel, seed: number) => (name: string): Runtime =>
  SimRuntime.make({
    kernel,
    owner: { name, alive: true, paused: false },
    clock: SimRuntime.rightClock(),
    random: stream(seed, name),
    mark: () => {}
  })

const startNode = (
  options: {
    readonly node: NodeId
    readonly runtime: Runtime
    readonly transport: TransportService
    readonly disk: MemoryDisk
    readonly started: (core: NodeCore) => void
  }
): void => {
  const { disk, node, started, transport, runtime } = options
  const identity = { node, cluster, partitionCount }
  const { service: storage } = openDirect({ directory: disk, identity, runtime })
  beginIncarnation({ storage, runtime }, (begun) => {
    if (typeof begun !== "string") throw new Error(begun.detail)
    const limits = {
      ...lan.node,
      skewMillis: 10_000,
      readTimeoutMillis: 1_000,
      writeTimeoutMillis: 1_000,
      requestsMax: 1_000,
      cacheBytesMax: 10_000
    }
    const parts = { runtime, transport, storage, node, cluster, ring, buckets, keys, limits }
    started(new NodeCore(parts, begun))
  })
}

/** The program of one client: some of everything, at times of its own, several things at once. */
const visit = (store: EverwriteService, client: number) =>
  Effect.gen(function*() {
    const carts = store.bucket(Carts)
    const counts = store.bucket(Counts)
    const notes = store.bucket(Notes)
    for (let round = 0; round < 6; round++) {
      yield* Effect.sleep(yield* Random.nextBetween(0, 40))
      const item = `i${yield* Random.nextIntBetween(0, 3)}`
      const name = `o${client}${round}`
      const added = yield* Effect.forkChild(
        carts.update("cart", (cart = {}) => ({ ...cart, [item]: { ...cart[item], [name]: 1 } }))
      )
      yield* counts.add("visits", 1)
      yield* notes.update("note", () => name)
      yield* Fiber.join(added)
    }
    return [yield* counts.get("visits"), yield* Clock.currentTimeMillis] as const
  })

const statesOf = ({ replica }: NodeCore): ReadonlyArray<unknown> =>
  Array.from(
    { length: partitionCount },
    (_, partition) =>
      replica.scan({ partition, after: undefined, limit: 100 }).map((key) => {
        const local = replica.read(key)
        return [key, local._tag === "Found" ? local.digest : local._tag]
      })
  )

/** Runs three nodes and a client on each; a hash of every state, every answer and every choice. */
const runOf = (seed: number, disks: ReadonlyArray<MemoryDisk>) => {
  const kernel = new Kernel(stream(seed, "schedule"))
  const runtimeOf = runtimesOf(kernel, seed)
  const broker = makeMemoryBroker(runtimeOf("broker"))
  const nodes: Array<NodeCore> = []
  names.forEach((node, index) =>
    startNode({
      node,
      runtime: runtimeOf(node),
      transport: broker.connect(),
      disk: disks[index]!,
      started: (core) => nodes.push(core)
    })
  )
  kernel.run(1_000, () => nodes.length === names.length)
  const visits = nodes.map((core, client) => {
    const { coordinator, options: { runtime }, view } = core
    const backend = EmbeddedBackend.make({ runtime, coordinator, view, buckets, cluster })
    return EffectRuntime.fork(runtimeOf(`client ${client}`), visit(makeClient(backend), client))
  })
  kernel.run(60_000)
  const exits = visits.map((fiber) => fiber.pollUnsafe())
  const states = nodes.map((core) => statesOf(core))
  const hash = digest64(JSON.stringify([kernel.trace, exits, states]))
  return { exits, hash, isEqual: new Set(states.map((state) => JSON.stringify(state))).size === 1 }
}

/** The same on disks in memory, which are closed in the end. */
const simulated = (seed: number) => {
  const disks = names.map(() => new MemoryDisk())
  try {
    return tripwired(() => runOf(seed, disks))
  } finally {
    for (const disk of disks) disk.database.close()
  }
}

describe("three nodes under a virtual clock and a seeded scheduler", () => {
  it("end in the same states for the same seed, 20 of 20 times, and in others for others", () => {
    const seeds = Array.from({ length: 20 }, (_, index) => index)
    const hashes = seeds.map((seed) => simulated(seed).hash)
    expect(seeds.map((seed) => simulated(seed).hash)).toEqual(hashes)
    expect(new Set(hashes).size).toBe(20)
  })

  it("carry the programs of their clients to their ends, and converge", () => {
    const { exits, isEqual } = simulated(42)
    const counts = exits.map((exit) => exit?._tag === "Success" ? exit.value[0] : exit)
    expect(Math.max(...counts.map(Number))).toBe(18)
    expect(isEqual).toBe(true)
  })
})

const ended = (program: Effect.Effect<unknown>) => {
  const kernel = new Kernel(stream(1, "schedule"))
  const runtime = runtimesOf(kernel, 1)("program")
  return tripwired(() => {
    const fiber = EffectRuntime.fork(runtime, program)
    kernel.run(10_000)
    return fiber.pollUnsafe()
  })
}

describe("a program on a simulated runtime", () => {
  it("sleeps in virtual time", () => {
    const slept = Effect.andThen(Effect.sleep("5 seconds"), Clock.currentTimeMillis)
    expect(ended(slept)).toMatchObject({ _tag: "Success", value: SimRuntime.epochMillis + 5_000 })
  })

  it("does not end where it awaits a promise, and fails where it asks for real time", () => {
    const never = new Promise<void>(() => {})
    expect(ended(Effect.promise(() => never))).not.toMatchObject({ _tag: "Success" })
    const asked = Effect.catchDefect(
      Effect.sync(() => Date.now()),
      (defect) => Effect.succeed(defect)
    )
    expect(ended(asked)).toMatchObject({ value: expect.any(Unrepeatable) })
  })
})
