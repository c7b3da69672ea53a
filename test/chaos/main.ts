/**
 * Runs scenarios of faults between processes by their names, and prints a table of each kind:
 *
 *     npm run chaos -- kill partition [--rounds 10] [--seconds 5] [--seed 7] [--rate 100]
 *
 * `all` runs every one but `carts` and `refill`, which have a load of their own. Ends with an error
 * where a promise is broken.
 */
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { natsServerBinary } from "../tooling/natsServer.ts"
import { brokenCarts, cartsReport, runCarts } from "./carts.ts"
import { brokenOf } from "./promises.ts"
import { brokenRefill, refillReport, runRefill } from "./refill.ts"
import { reportOf } from "./report.ts"
import { type Figures, runScenario } from "./run.ts"
import { scenarios } from "./scenarios.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string" },
    rate: { type: "string" },
    keys: { type: "string", default: "20" },
    settle: { type: "string", default: "30" },
    file: { type: "string" },
    baskets: { type: "string" },
    documents: { type: "string", default: "200000" },
    limit: { type: "string", default: "180" }
  }
})

const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000))

const breaks = (claims: ReadonlyArray<string>): void => {
  for (const claim of claims) {
    console.error(`broken: ${claim}`)
    process.exitCode = 1
  }
}

const carts = async (): Promise<void> => {
  const rows = await runCarts({
    seed,
    seconds: Number(values.seconds ?? 3),
    ...values.file === undefined ? {} : { file: values.file },
    ...values.baskets === undefined ? {} : { baskets: Number(values.baskets) }
  })
  for (const { failed, title } of rows) {
    for (const [error, count] of failed) console.error(`${title}: ${count} x ${error}`)
  }
  breaks(brokenCarts(rows))
  console.log(cartsReport(rows))
}

const refill = async (): Promise<void> => {
  const row = await runRefill({
    seed,
    documents: Number(values.documents),
    perSecond: Number(values.rate ?? 500),
    seconds: Number(values.seconds ?? 10),
    limitSeconds: Number(values.limit)
  })
  breaks(brokenRefill(row).map((claim) => `refill: ${claim}`))
  console.log(refillReport(row))
}

const faults = async (names: ReadonlyArray<string>): Promise<void> => {
  const rows: Array<Figures> = []
  for (const name of names) {
    const figures = await runScenario(name, {
      seed,
      ...values.rounds === undefined ? {} : { rounds: Number(values.rounds) },
      ...values.seconds === undefined ? {} : { seconds: Number(values.seconds) },
      perSecond: Number(values.rate ?? 100),
      keysOfEach: Number(values.keys),
      settleSeconds: Number(values.settle)
    })
    rows.push(figures)
    for (const [error, count] of figures.errors) console.error(`${name}: ${count} x ${error}`)
    breaks(brokenOf(figures).map((claim) => `${name}: ${claim}`))
  }
  if (rows.length > 0) console.log(reportOf(rows))
}

const others: Readonly<Record<string, () => Promise<void>>> = { carts, refill }
const names = positionals.includes("all") ? Object.keys(scenarios) : positionals
const known = [...Object.keys(scenarios), ...Object.keys(others)]
const loadAverage = (): string => `load average ${loadavg()[0]!.toFixed(1)}`

if (natsServerBinary === undefined) {
  console.error("this needs nats-server: apt-get install -y nats-server")
  process.exitCode = 1
} else if (names.length === 0 || names.some((name) => !known.includes(name))) {
  console.error(`name scenarios, of ${known.join(", ")}, or all`)
  process.exitCode = 1
} else {
  const { node } = process.versions
  console.log(`${cpus().length} cores, Node ${node}, ${loadAverage()}, seed ${seed}`)
  await faults(names.filter((name) => Object.hasOwn(scenarios, name)))
  for (const name of names) await others[name]?.()
  console.log(`${loadAverage()} in the end`)
}
