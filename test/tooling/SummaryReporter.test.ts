// Checks that a test run ends with the line that continuous integration reads, after any failure.
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

const suites = {
  "green": `
    it("holds", () => {})
    it.skipIf(true)("is not run", () => {})`,
  "red": `
    it("holds", () => {})
    it("breaks", () => { throw new Error("broken test") })`,
  "hook": `
    describe("with a broken hook", () => {
      beforeAll(() => { throw new Error("broken hook") })
      it("is not reached", () => {})
    })`,
  "load": "throw new Error(\"broken file\")",
  "loose": `
    it("leaves a promise behind", async () => {
      void Promise.reject(new Error("broken promise"))
      await new Promise((resolve) => setTimeout(resolve, 10))
    })`
}

describe("the closing line", () => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-closing-"))

  beforeAll(() => {
    cpSync(join(root, "test/tooling"), join(folder, "test/tooling"), { recursive: true })
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
    writeFileSync(join(folder, "package.json"), "{ \"type\": \"module\" }\n")
    for (const [name, body] of Object.entries(suites)) {
      mkdirSync(join(folder, "test", name))
      const text = `import { beforeAll, describe, it } from "vitest"\n${body}\n`
      writeFileSync(join(folder, "test", name, "Suite.test.ts"), text)
    }
  })

  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  it.each([
    ["green", "1 passed, 0 failed, 1 skipped", 0],
    ["red", "1 passed, 1 failed", 1],
    ["hook", "0 passed, 1 failed, 1 skipped", 1],
    ["load", "0 passed, 1 failed", 1],
    ["loose", "1 passed, 1 failed", 1],
    ["no-such-suite", "0 passed, 1 failed", 1]
  ])("a %s run ends with '%s'", (name, line, code) => {
    const vitest = join(root, "node_modules/.bin/vitest")
    const args = ["run", "--config", "test/tooling/vitest.config.ts", `test/${name}`]
    const { status, stdout } = spawnSync(vitest, args, { cwd: folder, encoding: "utf8" })
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(line)
    expect(status).toBe(code)
  })
})
