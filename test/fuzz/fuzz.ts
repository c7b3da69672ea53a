/**
 * Runs the fuzzers one after another, each in episodes of a new cluster and a seed of its own, so
 * that a fault is repeated by its episode alone.
 */
import { fuzzProved, fuzzUnproved } from "./frames.ts"
import { fuzzHttp, fuzzHttpWithoutToken } from "./http.ts"
import { type Episode, Fault, neededBytes } from "./judging.ts"
import { fuzzRequests } from "./requests.ts"

export const fuzzers = {
  requests: fuzzRequests,
  unproved: fuzzUnproved,
  proved: fuzzProved,
  http: fuzzHttp,
  tokens: fuzzHttpWithoutToken
} as const satisfies Record<string, (seed: number, inputs: number) => Promise<Episode>>

export type FuzzerName = keyof typeof fuzzers

/** Inputs of one episode. */
export const episodeInputs = 500

/**
 * Memory that an episode may leave behind in this process. A cluster of the fuzzers takes some 20
 * MB while it runs, and nothing afterwards.
 */
const leftBytesMax = 128 * 2 ** 20

export interface FuzzOptions {
  readonly names: ReadonlyArray<FuzzerName>
  /** Of each fuzzer. */
  readonly inputs: number
  readonly seed: number
  readonly onEpisode?: (name: FuzzerName, seed: number, episode: Episode) => void
}

export interface Fuzzed {
  readonly inputs: number
  readonly longestTurn: number
  readonly outcomes: Map<string, number>
}

export const again = (name: FuzzerName, seed: number, inputs: number): string =>
  `npm run attack -- fuzz --kind ${name} --seed ${seed} --inputs ${inputs}`

/** An episode, whose fault says how it is repeated. */
export const runEpisode = async (
  name: FuzzerName,
  seed: number,
  inputs: number
): Promise<Episode> => {
  try {
    return await fuzzers[name](seed, inputs)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${again(name, seed, inputs)}\n${detail}`, { cause })
  }
}

/** Each fuzzer's inputs, in episodes of the seeds from `seed` on. Throws at the first fault. */
export const fuzz = async (
  { inputs, names, onEpisode, seed }: FuzzOptions
): Promise<ReadonlyMap<FuzzerName, Fuzzed>> => {
  const all = new Map<FuzzerName, Fuzzed>()
  let least: number | undefined
  for (const name of names) {
    let fuzzed: Fuzzed = { inputs: 0, longestTurn: 0, outcomes: new Map() }
    for (let own = seed; fuzzed.inputs < inputs; own++) {
      const count = Math.min(episodeInputs, inputs - fuzzed.inputs)
      const episode = await runEpisode(name, own, count)
      onEpisode?.(name, own, episode)
      const { longestTurn, outcomes } = fuzzed
      for (const [outcome, times] of episode.outcomes) {
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + times)
      }
      fuzzed = {
        inputs: fuzzed.inputs + count,
        longestTurn: Math.max(longestTurn, episode.longestTurn),
        outcomes
      }
      // The first episode compiles code, which stays.
      if ((own - seed) % 10 !== 0) continue
      const needed = await neededBytes()
      least ??= needed
      if (needed > least + leftBytesMax) {
        throw new Fault(`${Math.round((needed - least) / 2 ** 20)} MB stay after ${name}, ${own}`)
      }
    }
    all.set(name, fuzzed)
  }
  return all
}
