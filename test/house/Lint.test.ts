// Shows files that break the lint configuration to it, and checks that it reads all that is ours.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { root } from "./Source.ts"

const lines = (count: number): string => "f()\n".repeat(count)
const longFunction = `export const f = () => {\n${"  f()\n".repeat(70)}}\n`

/** Simulated code that no simulated run could repeat. */
const unrepeatable = [
  "export const a = Date.now()",
  "export const a = { now: Date }",
  "export type A = Promise<number>",
  "export const a = performance.now()",
  "export const a = Math.random()",
  "export const a = crypto.randomUUID()",
  "export const a = process.env",
  "setTimeout(f, 1)",
  "globalThis.setTimeout(f, 1)",
  "import { randomBytes } from \"node:crypto\"\nf(randomBytes)",
  "export const a = async () => 1",
  "export const a = Effect.tryPromise(f)",
  "words.sort((a, b) => a.localeCompare(b))"
]

const bad: ReadonlyArray<readonly [file: string, text: string, rule: string]> = [
  ["LongFile.ts", lines(351), "max-lines"],
  ["LongFunction.ts", longFunction, "max-lines-per-function"],
  ["Swallowed.ts", "try {\n  f()\n} catch {}\n", "no-empty"],
  ["Suppressed.ts", "// @ts-ignore\nexport const a = 1\n", "ban-ts-comment"],
  ["LooseEnd.ts", "// TODO later\nexport const a = 1\n", "no-warning-comments"],
  ["Cycle.ts", "import type { B } from \"./Other.ts\"\nexport type A = B\n", "no-cycle"],
  ["Other.ts", "import type { A } from \"./Cycle.ts\"\nexport type B = A\n", "no-cycle"],
  ["Barrel.ts", "import { Effect } from \"effect\"\nf(Effect)\n", "no-restricted-imports"],
  ["src/http/Barrel.ts", "import * as h from \"effect/http\"\nf(h)\n", "no-restricted-imports"],
  ["src/http/lower.ts", "export const a = 1\n", "filename-case"],
  ["src/http/Reader.ts", "export const a = JSON.parse(b)\n", "no-restricted-properties"],
  ["test/Alone.test.ts", "it.effect.only(\"a\", f)\n", "no-restricted-properties"],
  ["test/LeftOut.test.ts", "describe.skip(\"a\", f)\n", "no-restricted-properties"],
  ...unrepeatable.map((text, i) => [`src/replica/A${i}.ts`, text, "no-"] as const)
]

const good: ReadonlyArray<readonly [file: string, text: string]> = [
  ["FullFile.ts", lines(350)],
  ["FullFunction.ts", longFunction.replace("  f()\n  f()\n", "")],
  ["test/Long.test.ts", longFunction],
  ["test/contracts/suite.ts", longFunction],
  ["test/schemas/Golden.ts", "export const a = async () => JSON.parse(b)\n"],
  ["src/http/Clock.ts", "export const a = async () => Date.now()\n"],
  ["src/replica/Labels.ts", "export const a = { Date: 1, b: Schema.Date, c: \"Math.random()\" }\n"]
]

const oxlint = (args: ReadonlyArray<string>, cwd: string): string => {
  const program = join(root, "node_modules/.bin/oxlint")
  const config = join(root, "test/tooling/oxlint.json")
  return spawnSync(program, ["-c", config, ...args, "."], { cwd, encoding: "utf8" }).stdout
}

describe("lint", () => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-lint-"))
  let report: ReadonlyArray<string>

  beforeAll(() => {
    for (const [file, text] of [...bad, ...good]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    report = oxlint(["-f", "unix"], folder).split("\n")
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(bad)("refuses %s: %s", (file, _, rule) => {
    const found = report.filter((line) => line.startsWith(`${file}:`))
    expect(found.join("\n")).toContain(rule.endsWith("-") ? `(${rule}` : `(${rule})`)
  })

  it.each(good)("accepts %s", (file) => {
    expect(report.filter((line) => line.startsWith(`${file}:`))).toEqual([])
  })

  it("reaches the files of the repository", () => {
    expect(oxlint(["--debug=files"], root)).toContain("src/core/Runtime.ts")
  })

  it("and the other checks leave a reader's own folder `mine` alone", () => {
    const ignored = spawnSync("git", ["check-ignore", "mine/client.ts"], { cwd: root })
    expect(ignored.status).toBe(0)
    for (const config of ["tsconfig.json", "test/tooling/dprint.json"]) {
      const { includes, include = includes } = JSON.parse(readFileSync(join(root, config), "utf8"))
      expect(include.join()).toMatch(/^\{?src,/)
    }
  })
})
