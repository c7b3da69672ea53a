/**
 * Replays shopping baskets as customers whose phone, laptop and shop assistant change one cart at
 * the same time, each through another node, while one node is cut off for a third of the run.
 *
 *     npx node --conditions=everwrite-source examples/shopping-carts.ts [FILE]
 *
 * FILE has a basket on each line, items separated by commas; without it a small sample is taken.
 * With NATS_URL the nodes use that nats-server, else a broker in this process.
 */
import { readFile } from "node:fs/promises"
import { type Carts, kinds } from "./shopping-carts/carts.ts"
import { type Cluster, startCluster } from "./shopping-carts/cluster.ts"
import { type Customer, customersOf, type Step } from "./shopping-carts/customers.ts"
import {
  type Account,
  nothing,
  openAccount,
  type Result,
  settle,
  sum
} from "./shopping-carts/ledger.ts"

const seed = 2007
/** Customers who shop at the same time. */
const atOnce = 24
/** The node that is cut off while the second third of the customers shop. */
const cutOff = 2

interface Run {
  readonly cluster: Cluster
  readonly carts: Carts
  readonly accounts: Map<string, Account>
  writes: number
  readonly failed: Map<string, number>
  acknowledgedWhileCut: number
  isCut: boolean
}

/** Writes through the node that is cut off ask for no more than that node. */
const optionsFor = (run: Run, device: number) =>
  run.isCut && device === cutOff
    ? { consistency: "available" } as const
    : { consistency: "balanced" } as const

const note = (run: Run, error: unknown) => {
  const tag = error instanceof Error ? error.name : String(error)
  run.failed.set(tag, (run.failed.get(tag) ?? 0) + 1)
}

const take = async (run: Run, customer: string, device: number, step: Step): Promise<void> => {
  const { carts, cluster } = run
  const db = cluster.clients[device]!
  const account = run.accounts.get(customer)!
  const options = optionsFor(run, device)
  const whileCut = run.isCut && device === cutOff
  let seen: ReadonlySet<string> = new Set()
  const saw = (additions: ReadonlySet<string>) => {
    seen = additions
  }
  if (step.kind === "add") account.tried.set(step.addition, step.item)
  try {
    run.writes++
    if (step.kind === "add") {
      await carts.add(db, customer, step, options)
      account.acknowledged.add(step.addition)
    } else {
      await carts.remove(db, customer, { item: step.item, saw }, options)
      account.removals.push({ item: step.item, seen, acknowledged: true })
    }
    if (whileCut) run.acknowledgedWhileCut++
  } catch (error) {
    // It may have applied all the same.
    if (step.kind === "remove") {
      account.removals.push({ item: step.item, seen, acknowledged: false })
    }
    note(run, error)
  }
}

const shop = async (run: Run, customer: Customer): Promise<void> => {
  run.accounts.set(customer.name, openAccount())
  await Promise.all(customer.devices.map(async (steps, device) => {
    for (const step of steps) await take(run, customer.name, device, step)
  }))
}

/** Runs `work` for all, `atOnce` at a time, and says how far it is. */
const forAll = async <A>(
  title: string,
  items: ReadonlyArray<A>,
  work: (item: A, index: number) => Promise<void>
): Promise<void> => {
  let next = 0
  let shownAt = Date.now()
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      await work(items[index]!, index)
      if (Date.now() - shownAt < 2_000) continue
      shownAt = Date.now()
      console.log(`  ${title}: ${next} of ${items.length}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

const audit = async (run: Run, customers: ReadonlyArray<Customer>): Promise<Result> => {
  let total = nothing
  await forAll("counting", customers, async ({ name }) => {
    const contents = await run.carts.contents(run.cluster.clients[0]!, name, {
      r: "all",
      timeout: "10 seconds"
    })
    total = sum(total, settle(run.accounts.get(name)!, contents))
  })
  return total
}

interface Row extends Result {
  readonly title: string
  readonly seconds: number
  readonly writes: number
  readonly acknowledgedWhileCut: number
}

const replay = async (
  cluster: Cluster,
  title: string,
  carts: Carts,
  customers: ReadonlyArray<Customer>
): Promise<Row> => {
  const run: Run = {
    cluster,
    carts,
    accounts: new Map(),
    writes: 0,
    failed: new Map(),
    acknowledgedWhileCut: 0,
    isCut: false
  }
  const wire = cluster.wires[cutOff]!
  const third = Math.floor(customers.length / 3)
  const began = Date.now()
  await forAll(title, customers, async (customer, index) => {
    if (index === third) {
      wire.cut()
      run.isCut = true
    }
    if (index === 2 * third) {
      wire.mend()
      run.isCut = false
    }
    await shop(run, customer)
  })
  const seconds = (Date.now() - began) / 1000
  const result = await audit(run, customers)
  for (const [tag, count] of run.failed) console.log(`  ${title}: ${count} x ${tag}`)
  const { acknowledgedWhileCut, writes } = run
  return { title, ...result, seconds, writes, acknowledgedWhileCut }
}

const print = (rows: ReadonlyArray<Row>): void => {
  const head = [
    "bucket",
    "acknowledged",
    "kept",
    "lost",
    "resurrected",
    "invented",
    "time",
    "writes/s"
  ]
  const lines = rows.map((row) => [
    row.title,
    String(row.acknowledged),
    String(row.kept),
    String(row.lost),
    String(row.resurrected),
    String(row.invented),
    `${row.seconds.toFixed(1)} s`,
    (row.writes / row.seconds).toFixed(0)
  ])
  for (const line of [head, ...lines]) {
    console.log(line.map((cell, i) => (i === 0 ? cell.padEnd(18) : cell.padStart(13))).join(""))
  }
}

const main = async (): Promise<number> => {
  const path = process.argv[2] ?? new URL("./shopping-carts/sample.csv", import.meta.url)
  const customers = customersOf(await readFile(path, "utf8"), seed)
  const cluster = await startCluster()
  console.log(`${customers.length} customers, three nodes, broker ${cluster.broker}`)
  try {
    const rows: Array<Row> = []
    for (const [title, carts] of kinds) rows.push(await replay(cluster, title, carts, customers))
    print(rows)
    const refusing = rows.filter((row) => row.acknowledgedWhileCut === 0)
    for (const { title } of refusing) console.log(`${title}: the node cut off took no writes`)
    const faults = rows.slice(1).filter((row) => row.lost + row.resurrected + row.invented > 0)
    for (const { title } of faults) console.log(`${title}: a promise is broken`)
    return refusing.length + faults.length === 0 ? 0 : 1
  } finally {
    await cluster.stop()
  }
}

process.exitCode = await main()
