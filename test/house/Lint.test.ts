// Checks that the lint configuration bites: each rule we count on is shown a file that breaks it.
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { root } from "./Source.ts"

const lines = (count: number): string => "f()\n".repeat(count)
const longFunction = `export const f = () => {\n${"  f()\n".repeat(70)}}\n`

const samples = {
  "LongFile.ts": lines(351),
  "LongFunction.ts": longFunction,
  "Empty.ts": "try {\n  f()\n} catch {}\n",
  "Silenced.ts": "// @ts-ignore\nexport const a = 1\n",
  "Cycle.ts": "import type { B } from \"./Other.ts\"\nexport type A = B\n",
  "Other.ts": "import type { A } from \"./Cycle.ts\"\nexport type B = A\n",
  "FullFile.ts": lines(350),
  "FullFunction.ts": longFunction.replace("  f()\n  f()\n", ""),
  "test/Suite.test.ts": longFunction,
  "test/contracts/suite.ts": longFunction
}

describe("lint", () => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-lint-"))
  let report: string

  beforeAll(() => {
    mkdirSync(join(folder, "test/contracts"), { recursive: true })
    for (const [name, text] of Object.entries(samples)) writeFileSync(join(folder, name), text)
    const config = join(root, "test/tooling/oxlint.json")
    const oxlint = join(root, "node_modules/.bin/oxlint")
    report = spawnSync(oxlint, ["-c", config, "-f", "unix", "."], {
      cwd: folder,
      encoding: "utf8"
    }).stdout
  })

  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  it.each([
    ["a file of more than 350 lines", "LongFile.ts", "max-lines"],
    ["a function of more than 70 lines", "LongFunction.ts", "max-lines-per-function"],
    ["a failure that is swallowed", "Empty.ts", "no-empty"],
    ["a silenced compiler", "Silenced.ts", "ban-ts-comment"],
    ["a cycle of type imports", "Cycle.ts", "no-cycle"]
  ])("%s is refused", (_, name, rule) => {
    const found = report.split("\n").filter((line) => line.includes(name))
    expect(found.join("\n")).toContain(`(${rule})`)
  })

  it.each(["FullFile.ts", "FullFunction.ts", "test/Suite.test.ts", "test/contracts/suite.ts"])(
    "%s is within the limits",
    (name) => {
      expect(report.split("\n").filter((line) => line.includes(name))).toEqual([])
    }
  )

  it("the repository's own files are linted, not ignored", () => {
    const config = join(root, "test/tooling/oxlint.json")
    const listed = execFileSync(
      join(root, "node_modules/.bin/oxlint"),
      ["-c", config, "--debug=files", "."],
      { cwd: root, encoding: "utf8" }
    )
    expect(listed).toContain("src/core/Runtime.ts")
  })
})
