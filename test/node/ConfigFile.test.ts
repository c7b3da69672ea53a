/** Config files: what they may hold, in which forms, and how each fault in one is named. */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { decode, defineConfig, findConfig, loadConfig } from "../../src/node/ConfigFile.ts"
import { carts, sampleBuckets, scratch } from "../../src/node/SampleBuckets.ts"

const sample = fileURLToPath(new URL("../../examples/everwrite.config.ts", import.meta.url))

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-config-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const load = (path: string) => Effect.runPromise(loadConfig(path))
const fault = (path: string) => Effect.runPromise(Effect.flip(loadConfig(path)))

describe("a config file", () => {
  it("of TypeScript gives its buckets with their code, and its settings", async () => {
    const { buckets } = await load(sample)
    expect(buckets.map(({ name }) => name)).toEqual(["users", "notes", "carts"])
    expect(buckets.every((bucket) => "code" in bucket)).toBe(true)
  })

  it("of JSON gives buckets as definitions", async () => {
    const content = { node: "n1", buckets: sampleBuckets.map(({ definition }) => definition) }
    const path = write("everwrite.config.json", JSON.stringify(content))
    const { buckets, settings } = await load(path)
    expect(buckets).toEqual(sampleBuckets.map(({ definition }) => definition))
    expect(settings).toEqual({ node: "n1" })
  })

  it.each(["ts", "js", "mjs", "json"])("is found by its name, with the ending %s", (ending) => {
    expect(findConfig(folder)).toBeUndefined()
    const path = write(`everwrite.config.${ending}`, "")
    expect(findConfig(folder)).toBe(path)
  })
})

describe("a config file is refused, with its path and the problem,", () => {
  it.each([
    ["that is not there", "everwrite.config.ts", undefined, /Cannot find module/],
    ["that is no JSON", "c.json", "{", /JSON/],
    ["that does not parse", "c.mjs", "export default {", /Unexpected|parse/],
    ["that throws", "c.mjs", "throw new Error('no luck')", /no luck/],
    ["without a default export", "c.mjs", "export const a = 1", /expected `export default define/],
    [
      "with an unknown setting",
      "c.json",
      `{ "natz": 1 }`,
      /there is no setting natz; expected nats$/
    ],
    ["with buckets that are no array", "c.json", `{ "buckets": {} }`, /buckets: expected an array/],
    [
      "with a bucket that is none",
      "c.json",
      `{ "buckets": [7] }`,
      /buckets\[0\]: expected object$/
    ],
    [
      "with defaults that its replicas cannot meet",
      "c.json",
      JSON.stringify({ buckets: [{ ...scratch.definition, defaults: { w: 4 } }] }),
      /w is 4, expected one, quorum, all, or an integer from 1 to 3/
    ],
    [
      "with a name that is none",
      "c.json",
      `{ "buckets": [{ "name": "A" }] }`,
      /buckets\[0\]: name: expected \S/
    ]
  ])("%s", async (_, name, text, problem) => {
    const path = text === undefined ? join(folder, name) : write(name, text)
    const error = await fault(path)
    expect(error._tag).toBe("InvalidConfig")
    expect(error.message).toMatch(problem)
    expect(error.message.startsWith(`${path}: `)).toBe(true)
    expect(error.message).not.toContain("\n")
  })
})

describe("buckets", () => {
  it("may not be declared twice under one name", () => {
    const twice = defineConfig({ buckets: [carts, scratch, carts] })
    expect(decode(twice)).toMatchObject({ failure: "buckets: carts is declared twice" })
  })

  it("that another version declared are refused: its fingerprint means something else", () => {
    const older = { ...carts, fingerprint: "0123456789abcdef" }
    expect(decode({ buckets: [older] })).toMatchObject({
      failure: "buckets[0]: carts was declared with another version of everwrite"
    })
  })
})
