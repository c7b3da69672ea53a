// Checks that the repository keeps the rules of the house, and that each rule bites.
import { describe, expect, it } from "vitest"
import { familyBlind, importDirections, table } from "./ImportRules.ts"
import { limitsInOneFile, structural } from "./LimitRules.ts"
import { repository, type Rule, type SourceFile } from "./Source.ts"
import { headers, noModuleState, nothingUnknown, readmes, shortLines } from "./TextRules.ts"

const files = repository()

const sample = (path: string, text = "// Why.\n"): SourceFile => ({ path, text })
const inSource = (text: string): SourceFile => sample("src/replica/Replica.ts", text)
const importing = (path: string, target: string): SourceFile =>
  sample(path, `import { x } from "${target}"\n`)

interface Samples {
  readonly rule: Rule
  readonly claim: string
  readonly bad: ReadonlyArray<SourceFile>
  readonly good: ReadonlyArray<SourceFile>
}

const rules: ReadonlyArray<Samples> = [
  {
    rule: importDirections,
    claim: "a room imports only the rooms and packages that the table allows",
    bad: [
      importing("src/core/ring/Ring.ts", "../clock/Dot.ts"),
      importing("src/core/codec/Bytes.ts", "../model/Names.ts"),
      importing("src/core/model/Names.ts", "effect/Effect"),
      importing("src/core/clock/Dot.ts", "node:crypto"),
      importing("src/storage/SqliteStorage.ts", "../transport/Transport.ts"),
      importing("src/transport/NatsTransport.ts", "node:sqlite"),
      importing("src/coordinator/Write.ts", "../handoff/Hints.ts"),
      importing("src/client/Client.ts", "../storage/Storage.ts"),
      importing("src/node/Node.ts", "../cli/main.ts"),
      importing("src/strange/Room.ts", "effect/Schema"),
      importing("plugins/shoppingCart.ts", "../src/index.ts"),
      inSource("export * from \"../coordinator/Write.ts\""),
      inSource("type A = import(\"../coordinator/Write.ts\").A"),
      inSource("const a = () => import(\"../coordinator/Write.ts\")")
    ],
    good: [
      importing("src/core/ring/Ring.ts", "../model/Names.ts"),
      importing("src/core/Hash.ts", "node:crypto"),
      importing("src/storage/SqliteStorage.ts", "node:sqlite"),
      importing("src/coordinator/Write.ts", "../gossip/ClusterView.ts"),
      importing("plugins/shoppingCart.ts", "everwrite/effect"),
      importing("test/core/ring/Ring.test.ts", "../../../src/storage/Storage.ts")
    ]
  },
  {
    rule: familyBlind,
    claim: "only core/strategy and core/crdt tell families of strategies apart",
    bad: [
      inSource("switch (definition.family) {}"),
      inSource("if (\"crdt\" !== tag) f()"),
      inSource("switch (tag) { case \"siblings\": f() }")
    ],
    good: [
      inSource("const family = \"lww\"\nprint(definition.family)"),
      sample("src/core/strategy/Strategies.ts", "if (tag === \"lww\") f()")
    ]
  },
  {
    rule: noModuleState,
    claim: "simulated code keeps nothing mutable at module level",
    bad: [
      inSource("export let a = 0"),
      inSource("const a: Map<string, number> = new Map()"),
      inSource("const a: number[] = []"),
      inSource("const a = {}"),
      inSource("class A { static readonly b = new Map() }")
    ],
    good: [
      inSource("const a: ReadonlyMap<string, number> = new Map([[\"a\", 1]])"),
      inSource("const a: VersionVector = new Map()\nconst b: readonly number[] = []"),
      inSource("const a = () => { let b = 0; const c = new Map(); return [b, c] }"),
      sample("src/node/Node.ts", "let a = 0")
    ]
  },
  {
    rule: headers,
    claim: "every file begins by saying why it exists",
    bad: [inSource("import \"a\"\n"), inSource("")],
    good: [inSource("/** Why. */\n"), inSource("#!/usr/bin/env node\n// Why.")]
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
      sample("src/core/ring/Ring.ts"),
      sample("src/testing/simulator/README.md", "line\n".repeat(61))
    ],
    good: [sample("src/index.ts"), sample("src/replica/README.md", "line\n".repeat(60))]
  },
  {
    rule: limitsInOneFile,
    claim: "every limit, interval and size of the product stands in one file",
    bad: [
      inSource("const retryMillis = 1_000"),
      inSource("export const bytesMax = 64 * 1024"),
      inSource("const limits = { partsMax: 4096 }"),
      inSource("class A { readonly #rowsMax = 2; readonly rowsMax = 2 }"),
      inSource("const f = (stepsMax = 500) => stepsMax"),
      inSource("const max = options.maxPayload ?? 2 ** 20")
    ],
    good: [
      inSource(
        "const heldBytes = 0\nconst { bytesMax } = limits\nconst retryMillis = 2 * pauseMillis"
      ),
      sample("src/core/model/Limits.ts", "const lan = { bytesMax: 64 * 1024 }"),
      sample("src/core/model/DocumentKey.ts", "export const keyLengthMax = 1024"),
      sample("src/testing/simulator/Run.ts", "const quietMillis = 5_000")
    ]
  },
  {
    rule: nothingUnknown,
    claim: "no file refers to one that its reader does not have",
    bad: [sample("README.md", "see DESIGN.md"), sample("src/http/README.md", "research/style.md")],
    good: [sample("examples/README.md", "A todo list; everything is shared.")]
  }
]

describe.each(rules)("$claim", ({ bad, good, rule }) => {
  it("holds in the repository", () => {
    expect(rule(files)).toEqual([])
  })

  it.each(bad)("refuses $path: $text", (file) => {
    expect(rule([file])).toHaveLength(1)
  })

  it("accepts files that keep it", () => {
    for (const file of good) expect(rule([file]), file.text).toEqual([])
  })
})

it("the import table has no cycle", () => {
  const reachable = (room: string, seen: Set<string>): Set<string> => {
    const rooms = (table[room]?.rooms ?? []).flatMap((pattern) =>
      pattern === "core/*"
        ? Object.keys(table).filter((name) => name.startsWith("core"))
        : [pattern]
    )
    for (const next of rooms) if (!seen.has(next)) reachable(next, seen.add(next))
    return seen
  }
  for (const room of Object.keys(table)) {
    expect([...reachable(room, new Set())]).not.toContain(room)
  }
})

it("each constant that a format rests on is still where the table of limits says", () => {
  for (const [path, names] of Object.entries(structural)) {
    const text = files.find((file) => file.path === path)?.text ?? ""
    for (const name of names) expect(text, path).toContain(`const ${name} = `)
  }
})

it("a violation names the file, the line, the import and the allowed ones", () => {
  const text = "// Why.\nimport type { Effect } from \"effect/Effect\"\n"
  expect(importDirections([sample("src/core/ring/Ring.ts", text)])[0]).toMatch(
    /^src\/core\/ring\/Ring\.ts:2 imports effect\/Effect; core\/ring may import: core, core\/model/
  )
})
