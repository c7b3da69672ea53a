/**
 * Refuses what a simulated run could not repeat: real time, chance, promises, and state that
 * outlives a run. The simulator executes these files on virtual time under a seed; one leak, and a
 * failing seed no longer fails.
 */
import type { ESTree } from "rolldown/utils"
import { at, isCode, type Rule, type SourceFile, type Violation, walk } from "./Source.ts"

/** Whether the simulator runs this file: all but the ends that touch NATS, threads and people. */
export const isSimulated = (path: string): boolean =>
  /^src\/(core|replica|coordinator|gossip|handoff|anti-entropy|testing\/simulator)\//.test(path)
  || /^src\/(node\/NodeCore|client\/(MakeHandle|Requester|Session))\.ts$/.test(path)
  || /^(schemas|plugins)\//.test(path)
  || (path.startsWith("src/transport/") && !/nats|broker/i.test(path))
  || (path.startsWith("src/storage/") && !/worker/i.test(path))

const globals = new Set([
  ..."Date performance setTimeout setInterval setImmediate queueMicrotask process fetch".split(" "),
  ..."Promise Intl WeakRef FinalizationRegistry globalThis".split(" "),
  ..."crypto webcrypto randomUUID randomBytes randomInt randomFillSync getRandomValues".split(" ")
])

const members = new Set([
  "Math.random",
  "Effect.promise",
  "Effect.tryPromise",
  "Effect.runPromise",
  "Effect.runPromiseExit",
  "DateTime.nowUnsafe"
])

/** What sorts or prints by the machine's language. */
const localMethods = new Set([
  "localeCompare",
  "toLocaleString",
  "toLocaleLowerCase",
  "toLocaleUpperCase"
])

const nameOf = (node: ESTree.Node): string => node.type === "Identifier" ? node.name : ""

const leaksOf = (file: SourceFile): ReadonlyArray<Violation> => {
  const found: Array<Violation> = []
  // Parents are visited before their children: a name that only labels a member is no leak.
  const labels = new Set<ESTree.Node>()
  const add = (node: { readonly start: number }, what: string): void => {
    found.push(`${at(file, node.start)} uses ${what}, which no simulated run can repeat`)
  }
  const label = (node: { readonly computed: boolean; readonly key: ESTree.Node }): void => {
    if (!node.computed) labels.add(node.key)
  }
  const unlessSync = (node: ESTree.Node & { readonly async: boolean }): void => {
    if (node.async) add(node, "async")
  }
  walk(file, {
    MemberExpression: (node) => {
      if (node.computed) return
      labels.add(node.property)
      const member = nameOf(node.property)
      const full = `${nameOf(node.object)}.${member}`
      if (localMethods.has(member)) add(node.property, member)
      if (members.has(full)) add(node, full)
    },
    Property: label,
    PropertyDefinition: label,
    MethodDefinition: label,
    TSPropertySignature: label,
    TSMethodSignature: label,
    TSQualifiedName: (node) => void labels.add(node.right),
    Identifier: (node) => {
      if (globals.has(node.name) && !labels.has(node)) add(node, node.name)
    },
    FunctionDeclaration: unlessSync,
    FunctionExpression: unlessSync,
    ArrowFunctionExpression: unlessSync,
    AwaitExpression: (node) => add(node, "await"),
    ForOfStatement: (node) => {
      if (node.await) add(node, "for await")
    }
  })
  return found
}

export const repeatable: Rule = (files) =>
  files.filter((file) => isCode(file) && isSimulated(file.path)).flatMap(leaksOf)

/** Typed as readonly, or as a type of ours: those are. */
const isReadonlyType = (annotation: ESTree.TSTypeAnnotation | null | undefined): boolean => {
  const type = annotation?.typeAnnotation
  if (type?.type === "TSTypeOperator") return type.operator === "readonly"
  return type?.type === "TSTypeReference"
    && !/^((Weak)?(Map|Set)|Array|Record)$/.test(nameOf(type.typeName))
}

/** An empty array or object, or a collection: what a module keeps only in order to fill it. */
const isContainer = (node: ESTree.Node | null): boolean => {
  if (node?.type === "NewExpression") return /^(Weak)?(Map|Set)$/.test(nameOf(node.callee))
  return (node?.type === "ArrayExpression" && node.elements.length === 0)
    || (node?.type === "ObjectExpression" && node.properties.length === 0)
}

/** Module-level variables, and containers that are not typed as readonly; statics count too. */
const stateOf = (file: SourceFile): ReadonlyArray<Violation> => {
  const found: Array<Violation> = []
  const add = (node: { readonly start: number }, what: string): void => {
    found.push(`${at(file, node.start)} keeps ${what} between runs`)
  }
  walk(file, {
    Program: ({ body }) => {
      for (const statement of body) {
        const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement
        if (node?.type !== "VariableDeclaration") continue
        if (node.kind !== "const") add(node, `a module-level ${node.kind}`)
        for (const { id, init } of node.declarations) {
          const annotation = "typeAnnotation" in id ? id.typeAnnotation : undefined
          if (isContainer(init) && !isReadonlyType(annotation)) add(id, "a mutable container")
        }
      }
    },
    PropertyDefinition: (node) => {
      if (node.static && isContainer(node.value) && !isReadonlyType(node.typeAnnotation)) {
        add(node, "a mutable static")
      }
    }
  })
  return found
}

export const noModuleState: Rule = (files) =>
  files.filter((file) => isCode(file) && isSimulated(file.path)).flatMap(stateOf)
