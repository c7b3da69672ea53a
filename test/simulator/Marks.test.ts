// Checks that the paths which runs must take are those that the code marks.
import { globSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { codeMarks } from "../../src/testing/simulator/Marks.ts"

const root = new URL("../../", import.meta.url).pathname

describe("the paths that runs must take", () => {
  it("are those that the code marks, each once in the list", () => {
    const files = globSync("src/**/*.ts", { cwd: root })
    const marked = new Set(files.flatMap((file) => {
      const text = readFileSync(`${root}${file}`, "utf8")
      return [...text.matchAll(/\bmark\(\s*"([^"]+)"/gu)].flatMap(([, mark]) => mark ?? [])
    }))
    expect(marked).toEqual(new Set(codeMarks))
    expect(marked.size).toBe(codeMarks.length)
    expect(codeMarks.length).toBeGreaterThan(25)
  })
})
