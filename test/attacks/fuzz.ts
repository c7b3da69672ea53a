/**
 * Sends changed HTTP requests, client requests over NATS and frames between nodes to clusters in
 * this process, and prints how many of each had which outcome, with the longest turn of the event
 * loop in CPU time. Ends with a fault at the first input that breaks a promise.
 *
 *     npm run attack -- fuzz [--inputs 500000] [--seed S] [--kind requests]
 */
import "effect/schema/SchemaJITCompiler/enable"
import { parseArgs } from "node:util"
import { episodeInputs, fuzz, type FuzzerName, fuzzers } from "../fuzz/fuzz.ts"

const { values } = parseArgs({
  options: {
    inputs: { type: "string" },
    seed: { type: "string" },
    kind: { type: "string" }
  }
})

const isName = (name: string): name is FuzzerName => Object.hasOwn(fuzzers, name)
const names = Object.keys(fuzzers).filter(isName)
  .filter((name) => values.kind === undefined || name === values.kind)
const inputs = Number(values.inputs ?? 500_000)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))

const began = performance.now()
let sent = 0
let told = 0
console.log(`Node ${process.versions.node}, seed ${seed}, ${inputs} inputs`)
const all = await fuzz({
  names,
  inputs: Math.ceil(inputs / names.length),
  seed,
  onEpisode: (name, own, episode) => {
    sent += episode.inputs
    if (sent - told < 50 * episodeInputs) return
    told = sent
    const memory = Math.round(process.memoryUsage.rss() / 2 ** 20)
    const seconds = Math.round((performance.now() - began) / 1_000)
    console.log(`${sent} inputs after ${seconds} s, ${name} at ${own}, ${memory} MB`)
  }
})
console.log("| fuzzer | inputs | longest turn, CPU ms | outcomes |")
console.log("| --- | --- | --- | --- |")
for (const [name, { inputs, longestTurn, outcomes }] of all) {
  const counts = [...outcomes].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `${outcome} ${count}`).join(", ")
  console.log(`| ${name} | ${inputs} | ${longestTurn.toFixed(0)} | ${counts} |`)
}
console.log(`${((performance.now() - began) / 1_000).toFixed(0)} s`)
process.exit(0)
