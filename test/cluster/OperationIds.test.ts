// Checks that increments are counted exactly, though nodes pause and die while many are under way:
// three processes, a real nats-server, and a client that sends again and goes elsewhere by itself.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type * as Duration from "effect/Duration"
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest"
import { connectWith } from "../../src/client/Promises.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { Overloaded } from "../../src/core/model/StoreError.ts"
import * as MembershipLog from "../../src/core/ring/MembershipLog.ts"
import { partitionOf } from "../../src/core/ring/Partition.ts"
import * as Ring from "../../src/core/ring/Ring.ts"
import * as RingState from "../../src/core/ring/RingState.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { start, type Started } from "../cli/everwrite.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { until } from "../tooling/until.ts"

const counts = Bucket.crdt("counts", { key: Key.text, type: Crdt.counter })
const names = ["n1", "n2", "n3"]
const cluster = "counting"

/** The owners of a document, the one first that a client asks first. */
const ownersOf = (key: string): ReadonlyArray<string> => {
  const log = MembershipLog.form(names.map((name) => ({ id: NodeId.make(name), weight: 1 })))
  const { ring } = RingState.make({ partitionCount: 256, replicaCount: 3, log })
  const { partition: partitionKey } = encodeKey(counts.definition.key, key)
  const partition = partitionOf({ bucket: counts.name, partitionKey, partitionCount: 256 })
  return Ring.preferenceList(ring, partition)
}

/** The nodes of a cluster, each a process, which can be paused and killed. */
class Processes {
  readonly #folder = mkdtempSync(join(tmpdir(), "everwrite-counting-"))
  readonly #config = join(this.#folder, "everwrite.config.json")
  readonly #nats: NatsServer
  readonly #nodes = new Map<string, Started>()

  constructor(nats: NatsServer) {
    this.#nats = nats
    writeFileSync(this.#config, JSON.stringify({ buckets: [counts.definition] }))
  }

  async start(...nodes: ReadonlyArray<string>): Promise<void> {
    const { url } = this.#nats
    for (const node of nodes) {
      const args = ["--node", node, "--members", names.join(","), "--cluster", cluster]
      const ways = ["--nats", url, "--http", "off", "--data", join(this.#folder, node)]
      const env = { EVERWRITE_CLUSTER_KEY: "a key for the tests" }
      this.#nodes.set(
        node,
        start(["start", "--json", "--config", this.#config, ...args, ...ways], { env })
      )
    }
    await until("the nodes are ready", () =>
      nodes.every((node) => {
        const { child, stderr } = this.#nodes.get(node)!
        if (child.exitCode !== null) throw new Error(stderr())
        return stderr().includes("\"ready\"")
      }), { withinMillis: 30_000 })
  }

  signal(signal: NodeJS.Signals, ...nodes: ReadonlyArray<string>): void {
    for (const node of nodes) this.#nodes.get(node)!.child.kill(signal)
  }

  async stop(): Promise<void> {
    this.signal("SIGKILL", ...names)
    await Promise.all([...this.#nodes.values()].map(({ ended }) => ended))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const connect = (nats: NatsServer) =>
  connectWith(liveRuntime, { counts }, { servers: nats.url, cluster })

type Db = Awaited<ReturnType<typeof connect>>

interface IncrementOptions {
  readonly atOnce: number
  readonly each?: number
  /** Unless given that of the client. */
  readonly timeout?: Duration.Input
}

/** Increments one counter from many places at once, and keeps the outcomes. */
class Increments {
  acknowledged = 0
  inDoubt = 0
  refused = 0
  readonly errors = new Set<string>()
  #isStopped = false
  #underWay = 0
  readonly #db: Db
  readonly #key: string
  readonly #options: IncrementOptions
  readonly #running: ReadonlyArray<Promise<void>>

  constructor(db: Db, key: string, options: IncrementOptions) {
    const { atOnce, each = Infinity } = options
    this.#db = db
    this.#key = key
    this.#options = options
    this.#running = Array.from({ length: atOnce }, () => this.#increment(each))
  }

  get underWay(): number {
    return this.#underWay
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.ended()
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #increment(times: number): Promise<void> {
    for (let i = 0; i < times && !this.#isStopped; i++) {
      this.#underWay++
      try {
        await this.#add()
        this.acknowledged++
      } catch (error) {
        this.#note(error)
      }
      this.#underWay--
    }
  }

  /** One increment: where it was too much for the client or a node, it is certainly not done. */
  async #add(): Promise<void> {
    const { timeout } = this.#options
    for (;;) {
      try {
        await this.#db.counts.add(this.#key, 1, timeout === undefined ? {} : { timeout })
        return
      } catch (error) {
        if (!(error instanceof Overloaded)) throw error
        await new Promise((resolve) => setTimeout(resolve, error.retryAfterMillis))
      }
    }
  }

  #note(error: unknown): void {
    const isInDoubt = error instanceof Error && "mayHaveApplied" in error
      && error.mayHaveApplied === true
    if (isInDoubt) this.inDoubt++
    else this.refused++
    this.errors.add(String(error))
  }
}

/** The counter, as soon as all replicas answer. */
const counted = async (db: Db, key: string): Promise<number> => {
  let value: number | undefined
  await until("all replicas answer", async () => {
    try {
      value = await db.counts.get(key, { r: "all" }) ?? 0
      return true
    } catch {
      return false
    }
  }, { withinMillis: 20_000 })
  return value!
}

describeWithNats("increments over NATS", () => {
  let nats: NatsServer
  let nodes: Processes
  let db: Db
  let keys = 0
  let key = ""
  beforeAll(async () => {
    nats = await startNatsServer()
    nodes = new Processes(nats)
    await nodes.start(...names)
    db = await connect(nats)
  })
  beforeEach(() => {
    key = `k${++keys}`
  })
  afterAll(async () => {
    await db?.close()
    await nodes.stop()
    await nats.stop()
  })

  const expectExact = async ({ acknowledged, inDoubt }: Increments) => {
    const value = await counted(db, key)
    expect(value).toBeGreaterThanOrEqual(acknowledged)
    expect(value).toBeLessThanOrEqual(acknowledged + inDoubt)
  }

  it("count exactly where 500 are under way and nothing goes wrong", async () => {
    const increments = new Increments(db, key, { atOnce: 500, each: 6 })
    await increments.ended()
    expect([...increments.errors]).toEqual([])
    expect(increments.acknowledged).toBe(3_000)
    expect(await counted(db, key)).toBe(3_000)
  })

  it("count what was acknowledged, and no more than was in doubt, while nodes pause", async () => {
    const increments = new Increments(db, key, { atOnce: 600 })
    for (const paused of [["n1"], ["n2"], ["n3"], names]) {
      const { acknowledged } = increments
      await until("increments go on", () => increments.acknowledged > acknowledged + 600, {
        withinMillis: 20_000
      })
      nodes.signal("SIGSTOP", ...paused)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      nodes.signal("SIGCONT", ...paused)
    }
    await increments.stop()
    expect(increments.acknowledged).toBeGreaterThan(2_400)
    await expectExact(increments)
  })

  it("go to other nodes where one dies with 200 under way, and wait no longer for it", async () => {
    // An increment that waited for the dead node would last longer than this test waits.
    const increments = new Increments(db, key, { atOnce: 200, timeout: "1 minute" })
    await until("increments go on", () => increments.acknowledged > 200)
    const [first] = ownersOf(key)
    nodes.signal("SIGKILL", first!)
    const { acknowledged } = increments
    await until("increments go on", () => increments.acknowledged > acknowledged + 1_000, {
      withinMillis: 25_000
    })
    const stopped = increments.stop()
    await until("every increment has ended", () => increments.underWay === 0, {
      withinMillis: 25_000
    })
    await stopped
    await nodes.start(first!)
    await expectExact(increments)
  })
})
