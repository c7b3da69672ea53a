// Checks when `everwrite start` begins anew with options for its memory, and how.
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { beginning, nodeOptions, nodeVariables } from "../../src/cli/OwnProcess.ts"

const argv = ["/bin/node", "/bin/everwrite", "start", "--node", "n1"]

describe("a process that was told to start a node", () => {
  it("begins anew with the options and variables, and all that it was given", () => {
    const env = { HOME: "/root" }
    expect(beginning({ argv, execArgv: ["--inspect"], env })).toEqual({
      words: [...nodeOptions, "--inspect", "/bin/everwrite", "start", "--node", "n1"],
      env: { ...nodeVariables, HOME: "/root" }
    })
  })

  it("goes on where it has the option already, from us or from the operator", () => {
    expect(beginning({ argv, execArgv: nodeOptions, env: {} })).toBeUndefined()
    for (const option of ["--max-semi-space-size=64", "--max_semi_space_size=64"]) {
      expect(beginning({ argv, execArgv: [], env: { NODE_OPTIONS: option } })).toBeUndefined()
    }
  })

  it("leaves an operator's variable as it is", () => {
    const env = { MALLOC_ARENA_MAX: "7" }
    expect(beginning({ argv, execArgv: [], env })?.env).toEqual({ ...nodeVariables, ...env })
  })

  it("is the same process then, and prints nothing more", () => {
    const folder = mkdtempSync(join(tmpdir(), "everwrite-own-"))
    const file = join(folder, "command.mjs")
    const own = new URL("../../src/cli/OwnProcess.ts", import.meta.url)
    writeFileSync(
      file,
      `import { beginAnew } from ${JSON.stringify(String(own))}
       if (process.env.FIRST === undefined) process.env.FIRST = String(process.pid)
       beginAnew()
       const { argv, env, execArgv, pid } = process
       const words = argv.slice(2)
       console.log(JSON.stringify({ execArgv, isSame: env.FIRST === String(pid), words }))`
    )
    try {
      const run = (word: string) =>
        JSON.parse(execFileSync(process.execPath, [file, word, "ü"], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "inherit"],
          env: { PATH: process.env["PATH"] }
        }))
      const execArgv = "execve" in process ? nodeOptions : []
      expect(run("start")).toEqual({ execArgv, isSame: true, words: ["start", "ü"] })
      expect(run("get")).toEqual({ execArgv: [], isSame: true, words: ["get", "ü"] })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
