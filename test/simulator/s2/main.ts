/**
 * Cuts the power of many seeds and prints the losses.
 *
 * `node main.ts --seeds 200 --first 1 --synchronous FULL`; `--synchronous NORMAL` or `OFF` plants a
 * weaker setting, under which the seeds must fail.
 */
import { parseArgs } from "node:util"
import { PowerCuts } from "./PowerCuts.ts"
import { sqliteVersion } from "./WasmDatabase.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    synchronous: { type: "string", default: "FULL" }
  }
})
const first = Number(values.first)
const seeds = Number(values.seeds)
const { synchronous } = values
if (synchronous !== "FULL" && synchronous !== "NORMAL" && synchronous !== "OFF") {
  throw new Error("--synchronous is FULL, NORMAL or OFF")
}

const totals: Record<string, number> = {}
let failed = 0
const began = performance.now()
console.log(`seeds ${first} to ${first + seeds - 1}, SQLite ${sqliteVersion}, ${synchronous}`)
for (let seed = first; seed < first + seeds; seed++) {
  const cuts = new PowerCuts(synchronous === "FULL" ? { seed } : { seed, synchronous })
  const loss = cuts.run()
  if (loss !== undefined) {
    failed++
    console.log(`seed ${seed}: ${loss}`)
  }
  for (const [name, count] of Object.entries({ ...cuts.counts, ...cuts.disk.counts })) {
    totals[name] = (totals[name] ?? 0) + count
  }
}
const millis = performance.now() - began
console.log(totals)
console.log(`${failed} of ${seeds} seeds lost something; ${(millis / seeds).toFixed(1)} ms each`)
process.exitCode = failed === 0 ? 0 : 1
