/**
 * Names the program that suites and benchmarks start as processes: the sources as they stand, or
 * the built package, as users run it. A variable says so, which the scripts set that build first:
 * the suite builds the package anew, beside processes that would run it.
 */
import { join } from "node:path"

export const isBuilt = process.env["EVERWRITE_BUILT"] === "true"

/** The words behind those of Node itself, for the sources of a checkout. */
export const sourceProgram = (checkout: string): ReadonlyArray<string> => [
  "--conditions=everwrite-source",
  "--disable-warning=ExperimentalWarning",
  join(checkout, "src/cli/main.ts")
]

/** The same for this checkout, built where the variable says so. */
export const ownProgram = (checkout: string): ReadonlyArray<string> =>
  isBuilt ? [join(checkout, "dist/src/cli/bin.js")] : sourceProgram(checkout)
