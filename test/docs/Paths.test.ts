// Checks that each page of the repository names files and folders that there are.
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { root } from "../examples/programs.ts"
import { pathsOf } from "./markdown.ts"

const pages = [
  ...globSync("*.md", { cwd: root }),
  ...globSync("{src,test,examples,plugins,schemas}/**/*.md", { cwd: root })
].sort()

/** The paths that neither the top of the repository nor the page's own folder has. */
const missing = (page: string, text: string): ReadonlyArray<string> =>
  pathsOf(text).filter((path) =>
    ![root, join(root, dirname(page))].some((folder) =>
      // A page may leave out how the name of a file ends.
      ["", ".ts", ".test.ts"].some((ending) => existsSync(join(folder, path + ending)))
    )
  )

describe("each path that a page names exists", () => {
  it.each(pages)("%s", (page) => {
    expect(missing(page, readFileSync(join(root, page), "utf8"))).toEqual([])
  })
})

it("a path that does not exist is found, from the top or from the page's folder", () => {
  const text = "`src/core/Lost.ts` `laws/Lost.ts` `laws/Law.ts` `src/core/` `Law` `./a.ts` `a/b`"
  expect(missing("src/testing/README.md", text)).toEqual(["src/core/Lost.ts", "laws/Lost.ts"])
})

it("the pages include those at the top and those of the rooms", () => {
  const expected = ["CONTRIBUTING.md", "README.md", "src/core/README.md", "test/README.md"]
  expect(pages).toEqual(expect.arrayContaining(expected))
})
