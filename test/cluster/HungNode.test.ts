// Checks that a node which hangs costs its clients no more than one which was killed: with nodes
// that are processes, of which one is stopped by SIGSTOP, and a real nats-server.
import { afterEach, beforeEach, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { connect } from "../../src/index.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { NodeProcesses } from "./nodeProcesses.ts"

const counts = Bucket.crdt("counts", { key: Key.text, type: Crdt.counter })
const members = ["n1", "n2", "n3"]
const cluster = "hung"
const newClients = 20
const writesEach = 25
/** Under way at once in each client. */
const atOnce = 2
/** Of one write that was certainly not applied. */
const triesMax = 3
/** Longer than two nodes of three need where the machine has too much to do. */
const timeoutMillis = 20_000

interface Tally {
  readonly millis: Array<number>
  readonly unsure: Array<unknown>
  readonly failed: Array<unknown>
  retried: number
  applied: number
}

type Client = Awaited<ReturnType<typeof connectTo>>

const connectTo = (servers: string) => connect({ counts }, { servers, cluster })

const mayHaveApplied = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "mayHaveApplied" in error
  && error.mayHaveApplied === true

const keyOf = (write: number): string => `k${write % 50}`

/** Adds one to a document, again where that certainly failed. */
const add = async (client: Client, key: string, tally: Tally): Promise<void> => {
  for (let tries = 1;; tries++) {
    const begunAt = performance.now()
    try {
      await client.counts.add(key, 1, { w: 2, timeout: timeoutMillis })
      tally.millis.push(performance.now() - begunAt)
      tally.applied++
      return
    } catch (error) {
      if (mayHaveApplied(error)) return void tally.unsure.push(error)
      if (tries === triesMax) return void tally.failed.push(error)
      tally.retried++
    }
  }
}

const addMany = async (client: Client, writes: number, tally: Tally): Promise<void> => {
  let next = 0
  const one = async () => {
    while (next < writes) await add(client, keyOf(next++), tally)
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}

const sum = async (client: Client, r: number): Promise<number> => {
  let total = 0
  for (let i = 0; i < 50; i++) {
    total += await client.counts.get(keyOf(i), { r, timeout: timeoutMillis }) ?? 0
  }
  return total
}

const percentile = (millis: ReadonlyArray<number>, share: number): number =>
  [...millis].sort((a, b) => a - b)[Math.floor(millis.length * share)]!

describeWithNats("one node of three", () => {
  let nats: NatsServer
  let nodes: NodeProcesses
  const clients: Array<Client> = []
  beforeEach(async () => {
    nats = await startNatsServer()
    nodes = new NodeProcesses({ nats, cluster, members, buckets: [counts.definition] })
    for (const node of members) await nodes.start(node)
  })
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()))
    await nodes.stop()
    await nats.stop()
  })

  const join = async (): Promise<Client> => {
    const client = await connectTo(nats.url)
    clients.push(client)
    return client
  }

  it.each<[string, (node: string) => Promise<void>]>([
    ["that hangs", (node) => nodes.freeze(node)],
    ["that was killed", (node) => nodes.kill(node)]
  ])(
    "%s keeps no client from the others, and leaves no quorum write in doubt",
    async (how, end) => {
      const tally: Tally = { millis: [], unsure: [], failed: [], retried: 0, applied: 0 }
      const old = await join()
      await addMany(old, 100, tally)
      await end("n1")
      tally.millis.length = 0
      const joined = Array.from({ length: newClients }, join)
      await Promise.all(joined.map(async (client) => addMany(await client, writesEach, tally)))
      await addMany(old, writesEach, tally)
      const p50 = Math.round(percentile(tally.millis, 0.5))
      const [p99, most] = [0.99, 0.9999].map((share) => Math.round(percentile(tally.millis, share)))
      const { failed, millis, retried, unsure } = tally
      console.info(
        `a node ${how}: ${millis.length} writes, p50 ${p50} ms, p99 ${p99} ms, most ${most} ms, `
          + `${unsure.length} unsure, ${failed.length} failed, ${retried} retried`
      )
      expect({ unsure, failed }).toEqual({ unsure: [], failed: [] })
      // A write that is sent to the node which does not answer takes at least one pause.
      expect(p50, "milliseconds of half of the writes").toBeLessThan(lan.client.firstPauseMillis)
      expect(await sum(old, 2)).toBe(tally.applied)
      if (how !== "that hangs") return
      // What it had got when it stopped it reads now, and none of it is applied a second time.
      nodes.thaw("n1")
      await addMany(old, writesEach, tally)
      expect(await sum(old, 3)).toBe(tally.applied)
    }
  )
})
