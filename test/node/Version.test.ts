/** The version that nodes and the command line tell is the one that the package is published as. */
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { version } from "../../src/node/Version.ts"

const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

it("the version in the source is that of the package, also where it is bundled", () => {
  expect(version).toBe(JSON.parse(text("../../package.json")).version)
  expect(text("../../src/node/Version.ts")).not.toContain("import")
})
