// Checks that dependencies point one way, and that the rules about them bite.
import { describe, expect, it } from "vitest"
import { familyBlind, importDirections, importsOf, noBarrels, table } from "./ImportRules.ts"
import { repository, type SourceFile } from "./Source.ts"

const files = repository()
const named = (path: string, target: string): SourceFile => ({
  path,
  text: `import { x } from "${target}"\n`
})

/** The rooms a room may import, without patterns. */
const namedRooms = (room: string): ReadonlyArray<string> =>
  (table[room]?.rooms ?? []).flatMap((pattern) =>
    pattern === "core/*" ? Object.keys(table).filter((name) => name.startsWith("core")) : [pattern]
  )

describe("import directions", () => {
  it("every import in the repository is one that the table allows", () => {
    expect(importDirections(files)).toEqual([])
  })

  it("the table itself has no cycle", () => {
    const reachable = (room: string, seen: Set<string>): Set<string> => {
      for (const next of namedRooms(room)) {
        if (!seen.has(next)) reachable(next, seen.add(next))
      }
      return seen
    }
    for (const room of Object.keys(table)) {
      expect([...reachable(room, new Set())]).not.toContain(room)
    }
  })

  it.each([
    ["src/core/ring/Ring.ts", "../model/Names.ts"],
    ["src/core/strategy/Strategy.ts", "../crdt/Join.ts"],
    ["src/core/Hash.ts", "node:crypto"],
    ["src/core/quorum/Quorum.ts", "effect/Schema"],
    ["src/storage/SqliteStorage.ts", "node:sqlite"],
    ["src/coordinator/Write.ts", "../gossip/ClusterView.ts"],
    ["src/node/Node.ts", "../anti-entropy/AntiEntropy.ts"],
    ["plugins/shoppingCart.ts", "everwrite/effect"],
    ["test/core/ring/Ring.test.ts", "../../../src/storage/Storage.ts"]
  ])("%s may import %s", (path, target) => {
    expect(importDirections([named(path, target)])).toEqual([])
  })

  it.each([
    ["src/core/ring/Ring.ts", "../clock/Dot.ts"],
    ["src/core/clock/Dot.ts", "../crdt/Join.ts"],
    ["src/core/codec/Bytes.ts", "../model/Names.ts"],
    ["src/core/model/Names.ts", "effect/Effect"],
    ["src/core/clock/Dot.ts", "node:crypto"],
    ["src/core/model/Names.ts", "../../../schemas/HttpApi.ts"],
    ["src/storage/SqliteStorage.ts", "../transport/Transport.ts"],
    ["src/storage/SqliteStorage.ts", "@nats-io/transport-node"],
    ["src/storage/SqliteStorage.ts", "@effect/platform-node/NodeServices"],
    ["src/transport/NatsTransport.ts", "node:sqlite"],
    ["src/coordinator/Write.ts", "../handoff/Hints.ts"],
    ["src/coordinator/Write.ts", "../gossip/Gossip.ts"],
    ["src/coordinator/Write.ts", "node:net"],
    ["src/client/Client.ts", "../storage/Storage.ts"],
    ["src/http/HttpServer.ts", "../node/Node.ts"],
    ["src/node/Node.ts", "../cli/main.ts"],
    ["src/node/Node.ts", "../../plugins/shoppingCart.ts"],
    ["src/replica/Replica.ts", "vitest"],
    ["src/strange/Room.ts", "effect/Schema"],
    ["plugins/shoppingCart.ts", "../src/index.ts"],
    ["examples/one-node.ts", "@effect/platform-node/NodeHttpServer"]
  ])("%s may not import %s", (path, target) => {
    expect(importDirections([named(path, target)])).toHaveLength(1)
  })

  it("a violation names the file, the line, the import and what is allowed", () => {
    const text = "// Why.\nimport type { Effect } from \"effect/Effect\"\n"
    const [violation] = importDirections([{ path: "src/core/ring/Ring.ts", text }])
    expect(violation).toMatch(/^src\/core\/ring\/Ring\.ts:2 imports effect\/Effect; /)
    expect(violation).toContain("core/ring may import: core, core/model, effect/Array, ")
  })

  it("types, re-exports and dynamic imports are imports; comments and strings are not", () => {
    const text = `
      // import "comment"
      import "plain"
      import { type A } from "type"
      export * from "star"
      export { b } from "named"
      type C = import("nested").C
      const d = () => import("dynamic")
      const e = 'import "text"'
    `
    expect(importsOf({ path: "a.ts", text }).map(({ target }) => target)).toEqual(
      ["plain", "type", "star", "named", "nested", "dynamic"]
    )
  })
})

describe("barrels", () => {
  it("nothing imports a barrel", () => {
    expect(noBarrels(files)).toEqual([])
  })

  it.each([
    ["test/a.test.ts", "effect"],
    ["src/node/Node.ts", "@effect/platform-node"],
    ["src/http/HttpServer.ts", "effect/http"]
  ])("%s may not import %s", (path, target) => {
    expect(noBarrels([named(path, target)])).toHaveLength(1)
  })

  it("a deep import is no barrel", () => {
    expect(noBarrels([named("src/http/HttpServer.ts", "effect/http/HttpServer")])).toEqual([])
  })
})

describe("families of strategies", () => {
  it("only core/strategy and core/crdt tell them apart", () => {
    expect(familyBlind(files)).toEqual([])
  })

  it.each([
    "switch (definition.family) {}",
    "if (strategy.name === \"lww\") f()",
    "if (\"crdt\" !== tag) f()",
    "switch (tag) { case \"siblings\": f() }"
  ])("%s is refused elsewhere", (text) => {
    expect(familyBlind([{ path: "src/replica/Replica.ts", text }])).toHaveLength(1)
    expect(familyBlind([{ path: "src/core/strategy/Strategies.ts", text }])).toEqual([])
  })

  it.each([
    "const family = \"lww\"",
    "print(definition.family)",
    "if (a === \"b\") f()"
  ])("%s is not refused", (text) => {
    expect(familyBlind([{ path: "src/replica/Replica.ts", text }])).toEqual([])
  })
})
