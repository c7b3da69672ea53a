/**
 * Replays shopping baskets, three devices to a cart, while in turn one of five nodes is killed and
 * one is cut off from its nats-server; every request asks for the default consistency, and is tried
 * once again where it fails.
 */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { buckets, type CartDb, type Carts, kinds } from "../../examples/shopping-carts/carts.ts"
import { type Customer, customersOf, type Step } from "../../examples/shopping-carts/customers.ts"
import {
  type Account,
  nothing,
  openAccount,
  type Result,
  settle,
  sum
} from "../../examples/shopping-carts/ledger.ts"
import { connect } from "../../src/index.ts"
import { pause } from "./pause.ts"
import { makeRandom, type Random } from "./random.ts"
import { type Columns, tableOf } from "./table.ts"
import { makeWire, type Wire } from "../../examples/shopping-carts/wire.ts"
import { startWorldOf, type WorldOf } from "./world.ts"

export interface CartsOptions {
  readonly seed: number
  /** How long a node is down, or cut off. */
  readonly seconds: number
  /** Of the file, from its beginning; else all. */
  readonly baskets?: number
  /** A basket on each line; else the sample of the example. */
  readonly file?: string
}

export interface CartsRow extends Result {
  readonly title: string
  readonly seconds: number
  readonly requests: number
  readonly retried: number
  /** Failed at both tries, by the error's name. */
  readonly failed: ReadonlyMap<string, number>
  readonly kills: number
  readonly cuts: number
  readonly uncounted: number
}

const example = (path: string): string =>
  fileURLToPath(new URL(`../../examples/shopping-carts/${path}`, import.meta.url))

const customersAtOnce = 12
const countMillis = 60_000

/** Kills a node and cuts one off, in turn, until it is stopped. */
class Faults {
  kills = 0
  cuts = 0
  readonly #world: WorldOf<CartDb>
  readonly #wires: ReadonlyMap<string, Wire>
  readonly #random: Random
  readonly #millis: number
  readonly #running: Promise<void>
  #isStopped = false

  constructor(
    world: WorldOf<CartDb>,
    options: {
      readonly wires: ReadonlyMap<string, Wire>
      readonly random: Random
      readonly millis: number
    }
  ) {
    this.#world = world
    this.#wires = options.wires
    this.#random = options.random
    this.#millis = options.millis
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    const { nodes } = this.#world
    while (!this.#isStopped) {
      const killed = this.#random.of(nodes.names)
      await nodes.kill(killed)
      this.kills++
      await pause(this.#millis)
      await nodes.start(killed)
      await pause(this.#millis)
      const wire = this.#wires.get(this.#random.of(nodes.names))!
      wire.cut()
      this.cuts++
      await pause(this.#millis)
      wire.mend()
      await pause(this.#millis)
    }
  }
}

/** The additions that one try of a removal saw. */
interface Seen {
  additions: ReadonlySet<string>
}

/**
 * The removals of one request. Its second try reads again, perhaps from other replicas, and removes
 * what that shows: it is not to be held to what the first one saw.
 */
export const removalsOf = (
  item: string,
  tries: ReadonlyArray<Seen>,
  isDone: boolean
): Account["removals"] =>
  tries.map(({ additions: seen }, at) => ({
    item,
    seen,
    acknowledged: isDone && at === tries.length - 1
  }))

class Replay {
  requests = 0
  retried = 0
  uncounted = 0
  readonly failed = new Map<string, number>()
  readonly #accounts = new Map<string, Account>()
  readonly #clients: ReadonlyArray<CartDb>
  readonly #carts: Carts

  constructor(clients: ReadonlyArray<CartDb>, carts: Carts) {
    this.#clients = clients
    this.#carts = carts
  }

  async shop({ devices, name }: Customer): Promise<void> {
    this.#accounts.set(name, openAccount())
    await Promise.all(devices.map(async (steps, device) => {
      for (const step of steps) await this.#take(name, device, step)
    }))
  }

  /** Compares a customer's cart, read from all replicas, with the account. */
  async count({ name }: Customer): Promise<Result> {
    const deadline = performance.now() + countMillis
    while (performance.now() < deadline) {
      try {
        const options = { r: "all", timeout: "10 seconds" } as const
        const contents = await this.#carts.contents(this.#clients[0]!, name, options)
        return settle(this.#accounts.get(name)!, contents)
      } catch {
        await pause(200)
      }
    }
    this.uncounted++
    return nothing
  }

  async #take(customer: string, device: number, step: Step): Promise<void> {
    const db = this.#clients[device]!
    const account = this.#accounts.get(customer)!
    const carts = this.#carts
    if (step.kind === "add") {
      account.tried.set(step.addition, step.item)
      if (await this.#twice(() => carts.add(db, customer, step, {}))) {
        account.acknowledged.add(step.addition)
      }
      return
    }
    const { item } = step
    const tries: Array<Seen> = []
    const isDone = await this.#twice(() => {
      const attempt: Seen = { additions: new Set() }
      tries.push(attempt)
      const saw = (additions: ReadonlySet<string>): void => {
        attempt.additions = additions
      }
      return carts.remove(db, customer, { item, saw }, {})
    })
    account.removals.push(...removalsOf(item, tries, isDone))
  }

  /** Tries once, and once more: whether it was acknowledged. */
  async #twice(request: () => Promise<unknown>): Promise<boolean> {
    this.requests++
    try {
      await request()
      return true
    } catch {
      this.retried++
    }
    try {
      await request()
      return true
    } catch (error) {
      const name = error instanceof Error ? error.name : String(error)
      this.failed.set(name, (this.failed.get(name) ?? 0) + 1)
      return false
    }
  }
}

const forAll = async <A>(items: ReadonlyArray<A>, work: (item: A) => Promise<void>) => {
  const waiting = items.values()
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: customersAtOnce }, worker))
}

const customersFor = async (options: CartsOptions): Promise<ReadonlyArray<Customer>> => {
  const text = await readFile(options.file ?? example("sample.csv"), "utf8")
  const lines = text.split("\n").filter((line) => line.trim() !== "").slice(0, options.baskets)
  return customersOf(lines.join("\n"), options.seed)
}

export const runCarts = async (options: CartsOptions): Promise<ReadonlyArray<CartsRow>> => {
  const customers = await customersFor(options)
  const wires = new Map<string, Wire>()
  const random = makeRandom(options.seed)
  const world = await startWorldOf({
    reach: "own",
    config: example("everwrite.config.ts"),
    instead: async (node, port) => {
      const wire = await makeWire(port)
      wires.set(node, wire)
      return `nats://127.0.0.1:${wire.port}`
    }
  }, (servers, cluster) => connect(buckets, { servers: [...servers], cluster, wait: "1 minute" }))
  const rows: Array<CartsRow> = []
  try {
    for (const [title, carts] of kinds) {
      const replay = new Replay(world.clients, carts)
      const begunAt = performance.now()
      const faults = new Faults(world, { wires, random, millis: options.seconds * 1_000 })
      await forAll(customers, (customer) => replay.shop(customer))
      const seconds = (performance.now() - begunAt) / 1_000
      await faults.stop()
      let total = nothing
      await forAll(customers, async (customer) => {
        const result = await replay.count(customer)
        total = sum(total, result)
      })
      const { failed, requests, retried, uncounted } = replay
      const { cuts, kills } = faults
      rows.push({ title, ...total, seconds, requests, retried, failed, kills, cuts, uncounted })
    }
    return rows
  } finally {
    await world.stop()
    for (const wire of wires.values()) wire.close()
  }
}

const columns: Columns<CartsRow> = [
  ["bucket", ({ title }) => title, "left"],
  ["killed", ({ kills }) => String(kills)],
  ["cut off", ({ cuts }) => String(cuts)],
  ["requests", ({ requests }) => String(requests)],
  ["retried", ({ retried }) => String(retried)],
  ["failed", ({ failed }) => String([...failed.values()].reduce((all, one) => all + one, 0))],
  ["acknowledged", ({ acknowledged }) => String(acknowledged)],
  ["lost", ({ lost }) => String(lost)],
  ["resurrected", ({ resurrected }) => String(resurrected)],
  ["invented", ({ invented }) => String(invented)],
  ["uncounted", ({ uncounted }) => String(uncounted)],
  ["seconds", ({ seconds }) => seconds.toFixed(0)]
]

export const cartsReport = (rows: ReadonlyArray<CartsRow>): string => tableOf(columns, rows)

/** The promises that are broken. Where the last write wins, it does so at the price of others. */
export const brokenCarts = (rows: ReadonlyArray<CartsRow>): ReadonlyArray<string> => [
  ...rows.filter(({ failed }) => failed.size > 0)
    .map(({ title }) => `${title}: a request failed twice, though one node at a time was away`),
  ...rows.filter(({ title }) => title !== "last write wins")
    .filter((row) => row.lost + row.resurrected + row.invented + row.uncounted > 0)
    .map(({ title }) => `${title}: an item was lost, came back, was invented, or could not be read`)
]
