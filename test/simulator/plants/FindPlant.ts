/**
 * Finds planted bugs, each in a process of its own, and makes the table of them.
 */
import { execFile } from "node:child_process"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Violation } from "../../../src/testing/simulator/History.ts"
import type { Counterexample } from "../Counterexamples.ts"
import type { Plant } from "./Plant.ts"
import { plants } from "./Plants.ts"

export interface Found {
  readonly seed: number
  /** Those that refuse the run, in the order in which they look at it. */
  readonly checkers: ReadonlyArray<string>
  readonly violation: Violation
  readonly kept: Counterexample | undefined
}

const program = fileURLToPath(new URL("search.ts", import.meta.url))
const nodeOptions = ["--conditions=everwrite-source", "--disable-warning=ExperimentalWarning"]

const search = async (args: ReadonlyArray<string>): Promise<Found | undefined> => {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [...nodeOptions, program, ...args])
  return stdout === "" ? undefined : JSON.parse(stdout)
}

export interface FindOptions {
  readonly seeds: number
  /** The first of them: 1, unless it is given. */
  readonly from?: number
  readonly shrink?: boolean
}

/** The first of `seeds` seeds under which a checker finds the bug, and the violation. */
export const findPlant = (
  { name }: Plant,
  { from = 1, seeds, shrink = false }: FindOptions
): Promise<Found | undefined> =>
  search([name, String(from), String(seeds), ...(shrink ? ["shrink"] : [])])

/** The violations where the bug meets the counterexample that is named after it. */
export const replayPlant = ({ name }: Plant): Promise<Found | undefined> => search([name, "kept"])

/** A row of the table of bugs. */
export const rowOf = ({ bug, name }: Plant, found: Found | undefined): string => {
  const seed = found === undefined ? "none" : String(found.seed)
  return `| ${name} | ${bug} | ${seed} | ${found?.checkers.join(", ") ?? ""} |`
}

/** Looks for all bugs, some at a time; calls back in their order, as soon as each is known. */
export const findPlants = async (
  options: {
    readonly seeds: number
    readonly onFound: (plant: Plant, found: Found | undefined) => void
  }
): Promise<void> => {
  const found = new Map<Plant, Found | undefined>()
  let next = 0
  let told = 0
  const work = async (): Promise<void> => {
    for (let plant = plants[next++]; plant !== undefined; plant = plants[next++]) {
      found.set(plant, await findPlant(plant, options))
      for (let known = plants[told]; known !== undefined && found.has(known);) {
        options.onFound(known, found.get(known))
        known = plants[++told]
      }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}
