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
  readonly violation: Violation
  readonly kept: Counterexample | undefined
}

const program = fileURLToPath(new URL("search.ts", import.meta.url))
const nodeOptions = ["--conditions=everwrite-source", "--disable-warning=ExperimentalWarning"]

/** The first of `seeds` seeds under which a checker finds the bug, and what it finds. */
export const findPlant = async (
  { name }: Plant,
  { seeds, shrink = false }: { readonly seeds: number; readonly shrink?: boolean }
): Promise<Found | undefined> => {
  const args = [...nodeOptions, program, name, String(seeds), ...shrink ? ["shrink"] : []]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return stdout === "" ? undefined : JSON.parse(stdout)
}

const row = ({ bug, name }: Plant, found: Found | undefined): string => {
  const seed = found === undefined ? "not found" : String(found.seed)
  return `| ${name} | ${bug} | ${seed} | ${found?.violation.checker ?? ""} |`
}

/** The rows of a table of all bugs, in order; calls back with each as soon as it is known. */
export const tablePlants = async (
  options: { readonly seeds: number; readonly onRow: (row: string) => void }
): Promise<ReadonlyArray<Found | undefined>> => {
  const found: Array<Found | undefined> = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let plant = plants[next++]; plant !== undefined; plant = plants[next++]) {
      const index = plants.indexOf(plant)
      found[index] = await findPlant(plant, options)
      options.onRow(row(plant, found[index]))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return found
}
