/**
 * Keeps plans that once failed, shrunk, as files: each must pass now, and for ever.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import type { Violation } from "../../src/testing/simulator/History.ts"
import type { Plan } from "../../src/testing/simulator/Plan.ts"
import { shrink } from "../../src/testing/simulator/Shrink.ts"
import { judgedPlan } from "./judged.ts"

/** The violation in the run of a plan, and the plan. */
export interface Counterexample extends Violation {
  readonly plan: Plan
}

const folder = new URL("counterexamples/", import.meta.url)

const list = (items: ReadonlyArray<unknown>): string =>
  items.length === 0
    ? "[]"
    : `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`

/** JSON with a line for each operation and fault, for people. */
const textOf = ({ plan, ...violation }: Counterexample): string => {
  const { faults, operations, ...rest } = plan
  const fields = { ...violation, ...rest }
  const lines = Object.entries(fields).map(([name, value]) =>
    `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`
  )
  return [
    "{",
    ...lines,
    `  "operations": ${list(operations)},`,
    `  "faults": ${list(faults)}`,
    "}",
    ""
  ].join("\n")
}

const read = (text: string): Counterexample => {
  const { bucket, checker, key, problem, ...plan } = JSON.parse(text)
  return { bucket, checker, key, problem, plan }
}

export const counterexamples = (): ReadonlyArray<readonly [name: string, Counterexample]> =>
  readdirSync(folder).sort().map((file) => [
    file.replace(/\.json$/u, ""),
    read(readFileSync(new URL(file, folder), "utf8"))
  ])

const judge = (plan: Plan): ReadonlyArray<Violation> => judgedPlan(plan).violations

/** Shrinks a plan that fails and keeps the rest; undefined where it does not fail. */
export const keep = (
  name: string,
  options: { readonly plan: Plan; readonly runsMax: number }
): Counterexample | undefined => {
  const [violation] = judge(options.plan)
  if (violation === undefined) return undefined
  const shrunk = shrink(options.plan, violation, { judge, runsMax: options.runsMax })
  const kept = { ...shrunk.violation, plan: shrunk.plan }
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), textOf(kept))
  return kept
}
