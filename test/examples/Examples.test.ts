/**
 * Runs each example by the command in its own header, and looks at its output.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Ended } from "../cli/everwrite.ts"
import { root, run, type ShellProgram, start } from "./programs.ts"

const folder = mkdtempSync(join(tmpdir(), "everwrite-examples-"))
const untried = new Set(
  readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"))
)

/** The first command that the header of an example gives. */
const commandOf = (name: string): string => {
  untried.delete(name)
  const text = readFileSync(join(root, "examples", name), "utf8")
  const [, line] = /^ \* {5}(.*)$/mu.exec(text) ?? []
  if (line === undefined) throw new Error(`${name} does not say how it is run`)
  return line
}

const expectDone = ({ code, stderr, stdout }: Ended): ReadonlyArray<string> => {
  expect(code, stderr).toBe(0)
  return stdout.trimEnd().split("\n")
}

afterAll(() => rmSync(folder, { recursive: true }))

describe("against the cluster of npm start", () => {
  const effectClient = commandOf("effect-client.ts")
  const plainNats = commandOf("nats-without-typescript.ts")
  let cluster: ShellProgram
  let nats = ""

  beforeAll(async () => {
    cluster = start(`npm start -- --port 0 --data ${join(folder, "dev")}`)
    await cluster.prints(/ready in/)
    nats = (await cluster.prints(/NATS +(\S+)/))[1] ?? ""
  }, 150_000)
  afterAll(() => cluster.interrupt())

  it("effect-client.ts adds to a cart, settles siblings, and names each refusal", async () => {
    const line = effectClient.replace("nats://...", nats)
    expect(expectDone(await run(line))).toEqual([
      "cart: 2 apples, coupon SPRING",
      "siblings: [ 'coffee', 'tea' ]",
      "settled: [ 'tea and coffee' ]",
      expect.stringMatching(/^refused: w is 4, expected /)
    ])
  })

  it("nats-without-typescript.ts writes and reads by JSON alone", async () => {
    const answers = expectDone(await run(plainNats.replace("nats://...", nats)))
      .map((line) => /^(\S+) (\{.*\})$/.exec(line) ?? [])
      .map(([, subject, answer = "{}"]) => [subject, JSON.parse(answer)])
    const written = { written: "without TypeScript" }
    expect(answers).toMatchObject([
      ["write.scratch.put", { values: [written], context: expect.any(String) }],
      ["read.scratch.get", { values: [written] }],
      ["write.visits.add", { values: [2] }],
      ["read.notes.get", { values: [] }],
      ["write.notes.put", { values: ["seen"] }],
      ["write.scratch.push", { error: { _tag: "UnknownOperation", operation: "push" } }]
    ])
    // A context was brought back, so the second run replaces the value of the first.
    expectDone(await run(plainNats.replace("nats://...", nats)))
    const notes = await run("npm run -s everwrite -- get notes 'by hand'", {
      env: { EVERWRITE_URL: nats }
    })
    expect(notes.stdout).toBe("\"seen\"\n")
  })
})

describe("on its own", () => {
  const inProcess = commandOf("node-in-process.ts")
  const laws = commandOf("law-check.ts")
  const simulation = commandOf("simulate-wishes.ts")
  const configured = commandOf("everwrite.config.ts")

  it("node-in-process.ts goes on counting where the last run ended", async () => {
    const line = inProcess.replace("[FOLDER]", join(folder, "visits"))
    expect(expectDone(await run(line))).toEqual(["home: 5 visits by 3 visitors"])
    expect(expectDone(await run(line))).toEqual(["home: 10 visits by 3 visitors"])
  })

  it("law-check.ts passes the shopping cart, and shows why a sum is no merge", async () => {
    const [passed, ...violation] = expectDone(await run(laws))
    expect(passed).toMatch(/^carts keeps \d+ laws$/)
    expect(violation).toEqual([
      expect.stringMatching(/^bucket sums breaks the law "merge is idempotent"$/),
      expect.stringMatching(/^merge\(a, a\) = \{".*":-?\d+\}$/),
      expect.stringMatching(/^a = \{".*":-?\d+\}$/),
      "found on",
      expect.stringMatching(/^a = \{".*":-?\d+\}$/),
      expect.stringMatching(/^replay "merge is idempotent@/)
    ])
  })

  it(
    "simulate-wishes.ts shows how the last write loses a wish, and that a merge does not",
    async () => {
      const lines = expectDone(await run(simulation)).filter((line) => !line.includes(" INFO "))
      const [found, problem] = lines
      expect(found).toMatch(/^bucket overwritten, seed \d+: the invariant holds on every node$/)
      expect(problem).toMatch(/ is lost$/)
      expect(lines).toContainEqual(
        expect.stringMatching(/^replay it with \{ seed: \d+, seeds: 1 \}/)
      )
      expect(lines.at(-1)).toMatch(/^merged keeps \d+ wishes in 10 runs$/)
    },
    300_000
  )

  it("everwrite.config.ts gives a cluster its three buckets", async () => {
    const cluster = start(`${configured} --port 0 --data ${join(folder, "configured")}`)
    try {
      await cluster.prints(/ready in/)
      const [, url = ""] = await cluster.prints(/HTTP +(\S+)/)
      const everwrite = async (args: string) =>
        (await run(`npm run -s everwrite -- ${args}`, { env: { EVERWRITE_URL: url } })).stdout
      const user = "users '{\"tenant\":\"acme\",\"id\":\"ada\"}'"
      const profile = JSON.stringify({ name: "Ada", email: "ada@example.org", theme: "dark" })
      expect(await everwrite(`put ${user} '${profile}'`)).toContain("\"Ada\"")
      expect(await everwrite("put notes plan '{\"today\":\"write\"}'"))
        .toBe("{\"today\":\"write\"}\n")
      expect(await everwrite("do carts ada lines.add apple 1"))
        .toBe("{\"coupon\":null,\"lines\":{\"apple\":1}}\n")
    } finally {
      await cluster.interrupt()
    }
  })
})

it("every example is run by a test", () => {
  // It has tests of its own.
  untried.delete("shopping-carts.ts")
  expect([...untried]).toEqual([])
})
