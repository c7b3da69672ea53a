/**
 * Keeps the repository as its reader expects it: headers, page-long READMEs, lines that fit, no
 * word about how the repository came to be, and no module that keeps state from run to run.
 */
import type { ESTree } from "rolldown/utils"
import { at, isCode, type Rule, type SourceFile, walk } from "./Source.ts"

const lineMax = 100
const readmeLinesMax = 60
/** The map of all rooms, with its glossary. */
const mapLinesMax = 115

/** Every file begins by saying why it exists. */
export const headers: Rule = (files) =>
  files
    .filter((file) => isCode(file) && !/^(#!.*\n)?\/[/*]/.test(file.text))
    .map(({ path }) => `${path}:1 has no header comment`)

export const shortLines: Rule = (files) =>
  files.filter(isCode).flatMap((file) =>
    file.text.split("\n").flatMap((line, index) =>
      line.length > lineMax ? [`${file.path}:${index + 1} is longer than ${lineMax}`] : []
    )
  )

/** Folders right under src and src/core; a folder further down belongs to its room. */
const roomFolder = /^(src\/core\/[^/]+|src\/[^/]+)\//

/** A room with code explains itself on one page. */
export const readmes: Rule = (files) => {
  const paths = new Set(files.map(({ path }) => path))
  const rooms = new Set(
    files.filter(isCode).flatMap(({ path }) => roomFolder.exec(path)?.[1] ?? [])
  )
  return [
    ...[...rooms].filter((room) => !paths.has(`${room}/README.md`))
      .map((room) => `${room} has no README.md`),
    ...files.filter(({ path }) => /^src\/.*README\.md$/.test(path)).flatMap(({ path, text }) => {
      const max = path === "src/README.md" ? mapLinesMax : readmeLinesMax
      return text.trimEnd().split("\n").length > max
        ? [`${path} is longer than a page of ${max} lines`]
        : []
    })
  ]
}

/** Files that no reader of the repository has. */
const unknown = /\bDESIGN\.md\b|\bresearch\/|\.\.\/shared\b/

/** These rules quote the words that they refuse. */
export const nothingUnknown: Rule = (files) =>
  files.filter(({ path }) => !/^(test\/house\/|package-lock\.json$)/.test(path)).flatMap((file) => {
    const match = unknown.exec(file.text)
    return match === null ? [] : [`${at(file, match.index)} says ${match[0]}`]
  })

/** Whether the file may run in a simulation, many runs in one process. */
const isSimulated = (path: string): boolean =>
  /^(src\/(core|replica|coordinator|gossip|handoff|anti-entropy|storage|transport)\/|schemas\/)/
    .test(path)
  || /^(plugins\/|src\/testing\/simulator\/|src\/node\/NodeCore\.ts)/.test(path)
  || /^src\/client\/(MakeHandle|Requester|Session)\.ts$/.test(path)

/** Typed as readonly, or as a type of ours: those are. */
const isReadonlyType = (annotation: ESTree.TSTypeAnnotation | null | undefined): boolean => {
  const type = annotation?.typeAnnotation
  if (type?.type === "TSTypeOperator") return type.operator === "readonly"
  return type?.type === "TSTypeReference" && type.typeName.type === "Identifier"
    && !/^((Weak)?(Map|Set)|Array|Record)$/.test(type.typeName.name)
}

/** An empty array or object, or a collection: a module keeps one only in order to fill it. */
const isContainer = (node: ESTree.Node | null): boolean => {
  if (node?.type === "NewExpression") {
    return node.callee.type === "Identifier" && /^(Weak)?(Map|Set)$/.test(node.callee.name)
  }
  return (node?.type === "ArrayExpression" && node.elements.length === 0)
    || (node?.type === "ObjectExpression" && node.properties.length === 0)
}

const stateOf = (file: SourceFile): ReadonlyArray<string> => {
  const found: Array<string> = []
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

/** Module-level variables, and containers that are not typed as readonly; statics count too. */
export const noModuleState: Rule = (files) =>
  files.filter((file) => isCode(file) && isSimulated(file.path)).flatMap(stateOf)
