// Checks names, headers, lengths and words in everything that git keeps.
import { describe, expect, it } from "vitest"
import { repository, type Rule, type SourceFile } from "./Source.ts"
import {
  fileNames,
  headers,
  noDoubleCasts,
  noLeftOutTests,
  noLooseEnds,
  oneJsonReader,
  readmes,
  shortLines,
  tellingNames
} from "./TextRules.ts"

const files = repository()

const sample = (path: string, text = "// Why.\n"): SourceFile => ({ path, text })
const inSource = (text: string): SourceFile => sample("src/replica/Replica.ts", text)
const inTest = (text: string): SourceFile => sample("test/replica/Replica.test.ts", text)

interface Samples {
  readonly rule: Rule
  readonly claim: string
  readonly bad: ReadonlyArray<SourceFile>
  readonly good: ReadonlyArray<SourceFile>
}

const rules: ReadonlyArray<Samples> = [
  {
    rule: fileNames,
    claim: "a file in src is named after its main export",
    bad: [sample("src/ring/ring.ts"), sample("src/core/preference-list.ts"), sample("src/a/B.js")],
    good: [sample("src/core/ring/Ring.ts"), sample("src/cli/main.ts"), sample("src/cli/bin.js")]
  },
  {
    rule: tellingNames,
    claim: "no file or type has a name that could be anything",
    bad: [
      sample("src/replica/ReplicaManager.ts"),
      sample("test/utils/wait.ts"),
      inSource("class StoreHelper {}"),
      inSource("export interface CommonOptions {}"),
      inSource("type Misc = string")
    ],
    good: [inSource("class Utility {}\nclass Commonwealth {}\nconst commonPrefix = 1")]
  },
  {
    rule: headers,
    claim: "every file begins by saying why it exists",
    bad: [inSource("import \"a\"\n"), inSource("")],
    good: [
      inSource("/** Why. */\n"),
      inSource("// Why.\n"),
      inSource("#!/usr/bin/env node\n// Why.")
    ]
  },
  {
    rule: shortLines,
    claim: "no line is longer than 100 columns",
    bad: [inSource(`// ${"x".repeat(98)}`)],
    good: [inSource(`// ${"x".repeat(97)}`)]
  },
  {
    rule: readmes,
    claim: "a room with code explains itself on one page",
    bad: [
      sample("src/replica/Replica.ts"),
      sample("src/core/ring/Ring.ts"),
      sample("src/testing/simulator/README.md", "line\n".repeat(61))
    ],
    good: [sample("src/index.ts"), sample("src/replica/README.md", "line\n".repeat(60))]
  },
  {
    rule: noLooseEnds,
    claim: "nothing is left to do, silenced, or known only to its authors",
    bad: [
      inSource("// TODO later"),
      inSource("// FIXME"),
      inSource("// @ts-ignore"),
      inSource("// oxlint-disable-next-line no-empty"),
      sample("README.md", "see DESIGN.md"),
      sample("src/http/README.md", "see research/style.md"),
      sample("examples/README.md", "reads ../shared/data")
    ],
    good: [sample("examples/README.md", "A todo list; everything is shared.")]
  },
  {
    rule: noLeftOutTests,
    claim: "no test is left out or run alone",
    bad: [
      inTest("it.skip(\"a\", f)"),
      inTest("describe.only(\"a\", f)"),
      inTest("it.effect.only(\"a\", f)"),
      inTest("test.todo(\"a\")")
    ],
    good: [inTest("describe.skipIf(none)(\"a\", f)\nreader.skip(1)\nconst a = { only: 1 }.only")]
  },
  {
    rule: oneJsonReader,
    claim: "one reader reads JSON",
    bad: [inSource("const a = JSON.parse(b)"), inSource("c.map(JSON.parse)")],
    good: [
      inSource("const a = JSON.stringify(b)"),
      inTest("JSON.parse(a)"),
      sample("src/core/codec/Json.ts", "JSON.parse(a)")
    ]
  },
  {
    rule: noDoubleCasts,
    claim: "no value is cast by way of unknown",
    bad: [inSource("const a = b as unknown as string"), inSource("const a = b as any as string")],
    good: [inSource("const a = b as string")]
  }
]

describe.each(rules)("$claim", ({ bad, good, rule }) => {
  it("holds in the repository", () => {
    expect(rule(files)).toEqual([])
  })

  it.each(bad)("refuses $path: $text", (file) => {
    expect(rule([file])).not.toEqual([])
  })

  it("accepts what it should", () => {
    expect(good.length).toBeGreaterThan(0)
    for (const file of good) expect(rule([file]), file.text).toEqual([])
  })
})
