// Sends changed requests and frames of all kinds to clusters in this process, and checks that none
// ends or silences a node, and that nothing unproved changes a document.
import { describe, expect, it } from "vitest"
import { fuzz, type FuzzerName, runEpisode } from "./fuzz.ts"

const seed = Number(process.env["EVERWRITE_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

/** 20,000 in all. */
const inputsOf: ReadonlyArray<readonly [name: FuzzerName, inputs: number]> = [
  ["requests", 6_000],
  ["unproved", 6_000],
  ["proved", 4_000],
  ["http", 3_000],
  ["tokens", 1_000]
]

describe("a cluster under changed inputs", () => {
  it.each(inputsOf)(`keeps its promises to ${seed} of %s, %i of them`, async (name, inputs) => {
    const fuzzed = await fuzz({ names: [name], inputs, seed })
    expect(fuzzed.get(name)?.inputs).toBe(inputs)
  }, 300_000)
})

/** Each broke a promise once. */
const found: ReadonlyArray<readonly [name: FuzzerName, seed: number, inputs: number]> = [
  // CONNECT was answered by nothing.
  ["http", 1, 300],
  // A mad member told of changes that it had not: a right refusal, which was judged as a fault.
  ["proved", 945_616_700, 500],
  // A listing took the header of each document above 4 KiB for a damaged one.
  ["requests", 1_507_356_490, 500],
  // Writes without a read brought a document near its limit: a true alarm, judged as a fault.
  ["requests", 1_639_386_053, 500]
]

describe("a seed that broke a promise once", () => {
  it.each(found)("of %s, %i, breaks none any more", async (name, seed, inputs) => {
    const episode = await runEpisode(name, seed, inputs)
    expect(episode.inputs).toBe(inputs)
  })
})
