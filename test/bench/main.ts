/**
 * Compares the product with other programs and with the floors under it, on this machine and in one
 * run. `test/bench/README.md` says what is measured and how.
 *
 *     npm run bench [-- --quick] [--programs everwrite,etcd] [--loads put,get]
 *         [--in-flight 64,512] [--rounds 3] [--seconds 5] [--rate-seconds 60] [--out DIRECTORY]
 *     npm run bench -- --growth [--adds 2000] [--elements-max 100000]
 *     npm run bench -- --scale [--documents 3000000] [--rounds 3] [--seconds 5]
 *     npm run bench -- --counts [--top 25] [--rounds 2] [--of DIRECTORY]
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { natsServerBinary } from "../tooling/natsServer.ts"
import { runCounts } from "./counts/counts.ts"
import { runGrowth } from "./growth.ts"
import { here } from "./nodes.ts"
import { compare, type CompareOptions } from "./peers/compare.ts"
import { loads } from "./peers/Loads.ts"
import { plot } from "./peers/Plot.ts"
import { programs } from "./peers/Programs.ts"
import { promisesOf, ratiosOf, rowsOf, tableOf } from "./peers/Report.ts"
import { runScale } from "./scale.ts"

const { values } = parseArgs({
  options: {
    "quick": { type: "boolean", default: false },
    "programs": { type: "string" },
    "loads": { type: "string" },
    "in-flight": { type: "string" },
    "rounds": { type: "string" },
    "seconds": { type: "string" },
    "rate-seconds": { type: "string", default: "60" },
    "out": { type: "string", default: join(here, ".everwrite/bench") },
    "growth": { type: "boolean", default: false },
    "adds": { type: "string", default: "2000" },
    "elements-max": { type: "string", default: "100000" },
    "scale": { type: "boolean", default: false },
    "documents": { type: "string", default: "3000000" },
    "counts": { type: "boolean", default: false },
    "top": { type: "string", default: "0" },
    "of": { type: "string", multiple: true, default: [] }
  }
})

/** Some seven minutes: the loads by which the programs are compared first. */
const quick = {
  programs: "everwrite,buffered,pipeline,etcd,jetstream",
  loads: "put,get",
  inFlight: "64,512",
  rounds: "3",
  seconds: "3"
}
const whole = {
  programs: Object.keys(programs).join(","),
  loads: Object.keys(loads).join(","),
  inFlight: undefined,
  rounds: "3",
  seconds: "5"
}

const split = (list: string): ReadonlyArray<string> => list.split(",")

const optionsOf = (): CompareOptions => {
  const usual = values.quick ? quick : whole
  const inFlight = values["in-flight"] ?? usual.inFlight
  return {
    programs: split(values.programs ?? usual.programs),
    loads: split(values.loads ?? usual.loads),
    ...inFlight === undefined ? {} : { inFlights: split(inFlight).map(Number) },
    rounds: Number(values.rounds ?? usual.rounds),
    seconds: Number(values.seconds ?? usual.seconds),
    rateSeconds: Number(values["rate-seconds"])
  }
}

const run = async (): Promise<void> => {
  const options = optionsOf()
  const machine = {
    cores: cpus().length,
    node: process.versions.node,
    loadBefore: loadavg()[0]!
  }
  const comparison = await compare(options)
  const rows = rowsOf(comparison)
  const { cores, loadBefore, node } = machine
  const lines = [
    `${cores} cores, Node ${node}, ${options.rounds} rounds of ${options.seconds} s;`
    + ` load of the machine before: ${loadBefore.toFixed(1)}`,
    "",
    ...promisesOf(new Set(rows.map(({ program }) => program))),
    "",
    ...tableOf(rows),
    "",
    ...ratiosOf(rows, "everwrite"),
    "",
    ...ratiosOf(rows, "buffered"),
    ...comparison.skipped
  ]
  console.log(lines.join("\n"))
  mkdirSync(values.out, { recursive: true })
  const json = { machine, options, rows, ...comparison }
  writeFileSync(join(values.out, "bench.json"), `${JSON.stringify(json, null, 2)}\n`)
  writeFileSync(join(values.out, "bench.svg"), plot(rows))
  process.stderr.write(`written: bench.json and bench.svg in ${values.out}\n`)
}

if (natsServerBinary === undefined) {
  console.error("the benchmark needs nats-server: apt-get install -y nats-server")
  process.exitCode = 1
} else if (values.counts) {
  const { of, rounds = "2", top } = values
  await runCounts({ of: [...of, here], top: Number(top), rounds: Number(rounds) })
} else if (values.growth) {
  await runGrowth({ count: Number(values.adds), sizesMax: Number(values["elements-max"]) })
} else if (values.scale) {
  const { documents, rounds = whole.rounds, seconds = whole.seconds } = values
  await runScale({
    documents: Number(documents),
    rounds: Number(rounds),
    seconds: Number(seconds)
  })
} else {
  await run()
}
