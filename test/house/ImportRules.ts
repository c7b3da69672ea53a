/**
 * States which room may import which. Dependencies point one way, so that the logic stays pure
 * (`core`), each outside service stays in one room, and a reader needs only the rooms to the left
 * of the one at hand. Type imports count: they are dependencies too.
 */
import { posix } from "node:path"
import type { ESTree } from "rolldown/utils"
import { at, isCode, type Rule, type SourceFile, walk } from "./Source.ts"

interface Room {
  /** Other rooms it may import; `core` rooms stand for the rest of the system as `core/*`. */
  readonly rooms: ReadonlyArray<string>
  /** Packages it may import; `*` at the end matches the rest of the name. */
  readonly packages: ReadonlyArray<string>
}

/** The modules of Effect that hold values and functions: no effects, services, fibers or time. */
const dataModules = (
  "Array BigDecimal BigInt Boolean Brand Chunk Combiner Data Equal Equivalence Filter Formatter "
  + "Function Hash HashMap HashSet Iterable NonEmptyIterable Number Option Order Ordering Pipeable "
  + "Predicate Record Reducer Result Schema SchemaAST SchemaGetter SchemaIssue SchemaParser "
  + "SchemaTransformation String Struct Tuple Types "
  + "encoding/Base64 encoding/Base64Url encoding/Hex encoding/SchemaBinary"
).split(" ").map((name) => `effect/${name}`)

const pure = (...rooms: ReadonlyArray<string>): Room => ({ rooms, packages: dataModules })
const onEffect = (...rooms: ReadonlyArray<string>): Room => ({ rooms, packages: ["effect/*"] })
const onNode = (...rooms: ReadonlyArray<string>): Room => ({
  rooms,
  packages: ["effect/*", "node:*", "@nats-io/*"]
})

const shared = ["core/*", "schemas"]
const background = [...shared, "gossip/ClusterView", "replica", "transport"]
const nodeRooms = [
  ...background,
  "anti-entropy",
  "client",
  "coordinator",
  "gossip",
  "handoff",
  "storage"
]
const publicOnly: Room = {
  rooms: [],
  packages: [
    "everwrite",
    "everwrite/effect",
    "everwrite/schemas",
    "everwrite/server",
    "everwrite/testing",
    "effect/*",
    "node:*"
  ]
}

/** `core` alone is the base of all of core: the runtime, invariants, the hash and the codec. */
export const table: Readonly<Record<string, Room>> = {
  "core": pure(),
  "core/model": pure("core"),
  "core/clock": pure("core", "core/model"),
  "core/crdt": pure("core", "core/model", "core/clock"),
  "core/strategy": pure("core", "core/model", "core/clock", "core/crdt"),
  "core/operations": pure("core", "core/model"),
  "core/ring": pure("core", "core/model"),
  "core/anti-entropy": pure("core", "core/model"),
  "core/membership": pure("core", "core/model"),
  "core/quorum": pure("core", "core/model", "core/ring"),
  "core/admission": pure("core", "core/model"),
  "core/forwarding": pure("core", "core/model", "core/operations"),
  "schemas": onEffect("core/*"),
  "storage": onNode(...shared),
  "transport": onNode(...shared),
  "gossip/ClusterView": onEffect(...shared),
  "gossip": onEffect(...shared, "gossip/ClusterView", "transport"),
  "replica": onEffect(...shared, "gossip/ClusterView", "storage"),
  "coordinator": onEffect(...background),
  "handoff": onEffect(...background),
  "anti-entropy": onEffect(...background),
  "client": onEffect(...shared, "gossip/ClusterView", "coordinator", "transport"),
  "http": onNode(...shared, "gossip/ClusterView", "client"),
  "node": onNode(...nodeRooms, "http"),
  "cli": onNode(...shared, "client", "node"),
  "testing": onEffect(...nodeRooms, "node"),
  "entry": onEffect(...shared, "client", "node", "transport"),
  "plugins": publicOnly,
  "examples": {
    rooms: ["plugins"],
    packages: [...publicOnly.packages, "@nats-io/transport-node"]
  }
}

/** Packages that only few rooms may import, beyond the table. */
const owners: ReadonlyArray<readonly [RegExp, ReadonlyArray<string>]> = [
  [/^node:sqlite$/, ["storage"]],
  [/^node:worker_threads$/, ["storage"]],
  // Examples are programs of their own: they may speak plain NATS, and cut wires.
  [/^(@nats-io\/|node:(net|tls)$)/, ["transport", "examples"]],
  [/^node:https?$/, ["http"]],
  [/^effect\/cli\//, ["cli"]],
  [/^effect\/Config(Provider)?$/, ["node", "cli"]]
]

/** The two places in core that hash: the ring's MD5, and the MAC of a client's context. */
const hashers = new Set([
  "src/core/Hash.ts",
  "src/core/Mac.ts",
  "src/core/clock/CausalContext.ts"
])

/** The room that a file belongs to; undefined for tests, which may import everything. */
const roomOf = (path: string): string | undefined => {
  const [top, room, inner, deep] = path.split("/")
  if (top !== "src") return top === "test" || room === undefined ? undefined : top
  if (inner === undefined) return "entry"
  if (room === "core") return deep === undefined || inner === "codec" ? "core" : `core/${inner}`
  return /^src\/gossip\/(ClusterView|Liveness|PeerClocks)\.ts$/.test(path)
    ? "gossip/ClusterView"
    : room
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern

const allowsRoom = (room: string, target: string): boolean =>
  target === room
  || (table[room]?.rooms ?? []).some((pattern) =>
    matches(pattern, target) || (pattern === "core/*" && target === "core")
  )

const allowsPackage = (room: string, path: string, target: string): boolean => {
  if (target === "node:crypto" && hashers.has(path)) return true
  const owner = owners.find(([pattern]) => pattern.test(target))
  return (owner === undefined || owner[1].includes(room))
    && (table[room]?.packages ?? []).some((pattern) => matches(pattern, target))
}

interface Import {
  readonly target: string
  readonly offset: number
}

/** Every module a file names: imports, re-exports, dynamic imports and `import("...")` types. */
const importsOf = (file: SourceFile): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  const add = ({ source }: { readonly source: ESTree.Node | null }): void => {
    if (source?.type === "Literal" && typeof source.value === "string") {
      found.push({ target: source.value, offset: source.start })
    }
  }
  walk(file, {
    ImportDeclaration: add,
    ExportNamedDeclaration: add,
    ExportAllDeclaration: add,
    ImportExpression: add,
    TSImportType: add
  })
  return found
}

export const importDirections: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const room = roomOf(file.path)
    if (room === undefined) return []
    const allowed = table[room]
    if (allowed === undefined) return [`${file.path} is in no room of the import table`]
    return importsOf(file).flatMap(({ offset, target }) => {
      const local = target.startsWith(".")
      const path = local ? posix.join(posix.dirname(file.path), target) : target
      const fits = local
        ? allowsRoom(room, roomOf(path) ?? path)
        : allowsPackage(room, file.path, target)
      const may = [...allowed.rooms, ...allowed.packages].join(", ")
      return fits ? [] : [`${at(file, offset)} imports ${path}; ${room} may import: ${may}`]
    })
  })

const families: ReadonlyArray<unknown> = ["lww", "merge", "siblings", "crdt"]

/** A family's tag, or the field that holds it: `"lww"`, `definition.family`. */
const tellsFamily = (node: ESTree.Node | null): boolean =>
  node?.type === "MemberExpression"
    ? node.property.type === "Identifier" && node.property.name === "family"
    : node?.type === "Literal" && families.includes(node.value)

/** Only `core/strategy` and `core/crdt` tell families apart; the rest joins any states. */
export const familyBlind: Rule = (files) =>
  files
    .filter((file) => isCode(file) && /^src\/(?!core\/(strategy|crdt)\/)/.test(file.path))
    .flatMap((file) => {
      const found: Array<string> = []
      const check = (...nodes: ReadonlyArray<ESTree.Node | null>): void => {
        for (const node of nodes.filter((candidate) => tellsFamily(candidate))) {
          if (node !== null) {
            found.push(`${at(file, node.start)} tells families of strategies apart`)
          }
        }
      }
      walk(file, {
        SwitchStatement: ({ discriminant }) => check(discriminant),
        SwitchCase: ({ test }) => check(test),
        BinaryExpression: ({ left, operator, right }) => {
          if (/^[!=]==?$/.test(operator)) check(left, right)
        }
      })
      return found
    })
