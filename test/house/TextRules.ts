/**
 * Keeps the text of the repository to what a reader expects: names, headers, page-long READMEs,
 * lines that fit, no loose ends, and no word about how the repository came to be.
 */
import type { ESTree } from "rolldown/utils"
import { at, isCode, type Rule, type SourceFile, type Violation, walk } from "./Source.ts"

const lineMax = 100
const readmeLinesMax = 60

const where = (files: ReadonlyArray<SourceFile>, pattern: RegExp): ReadonlyArray<SourceFile> =>
  files.filter(({ path }) => pattern.test(path))

/** A file in src is named after its main export; entry points and worker files are not modules. */
export const fileNames: Rule = (files) =>
  where(files, /^src\/.*\.(ts|js)$/)
    .filter(({ path }) => {
      const name = path.split("/").at(-1) ?? ""
      return !/^([A-Z][A-Za-z0-9]*\.ts|(main|index|effect|server|worker)\.ts|bin\.js)$/.test(name)
    })
    .map(({ path }) => `${path} is not named after its main export, in PascalCase`)

const emptyName = /^(Manager|Helper|Util|Common|Misc)(s|es)?$/i

/** Names that fit anything say nothing. */
export const tellingNames: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const found: Array<Violation> = []
    const check = (name: string, place: string): void => {
      const word = name.split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/).find((part) => emptyName.test(part))
      if (word !== undefined) found.push(`${place} is named ${word}, which could be anything`)
    }
    const declared = (node: { readonly id: ESTree.Node | null; readonly start: number }): void => {
      if (node.id?.type === "Identifier") check(node.id.name, at(file, node.start))
    }
    check(file.path, file.path)
    walk(file, {
      ClassDeclaration: declared,
      TSInterfaceDeclaration: declared,
      TSTypeAliasDeclaration: declared
    })
    return found
  })

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

/** Folders right under src and src/core; what lies deeper belongs to its room. */
const roomFolder = /^(src\/core\/[^/]+|src\/[^/]+)\//

/** A room with code explains itself on one page. */
export const readmes: Rule = (files) => {
  const paths = new Set(files.map(({ path }) => path))
  const rooms = new Set(
    files.filter(isCode).flatMap(({ path }) => roomFolder.exec(path)?.[1] ?? [])
  )
  const missing = [...rooms].filter((room) => !paths.has(`${room}/README.md`))
  const long = where(files, /^src\/.*README\.md$/).filter(({ text }) =>
    text.trimEnd().split("\n").length > readmeLinesMax
  )
  return [
    ...missing.map((room) => `${room} has no README.md`),
    ...long.map(({ path }) => `${path} is longer than a page of ${readmeLinesMax} lines`)
  ]
}

/** Loose ends, silenced tools, and files that no reader of the repository has. */
const unwanted: ReadonlyArray<RegExp> = [
  /\b(TODO|FIXME|XXX|HACK)\b/,
  /@ts-(ignore|nocheck)\b/,
  /\b(oxlint|eslint|dprint|biome)-(disable|ignore)/,
  /\bDESIGN\.md\b/,
  /\bresearch\//,
  /\.\.\/shared\b/
]

/** These rules quote what they refuse, and the others are not ours to word. */
const notOurs = /^(test\/house\/|package-lock\.json$|LICENSE$)/

export const noLooseEnds: Rule = (files) =>
  files.filter(({ path }) => !notOurs.test(path)).flatMap((file) =>
    unwanted.flatMap((pattern) => {
      const match = pattern.exec(file.text)
      return match === null ? [] : [`${at(file, match.index)} says ${match[0]}`]
    })
  )

/**
 * A suite that cannot run here says so by `skipIf`, or through a function of `test/tooling`;
 * nothing else is left out or run alone.
 */
export const noLeftOutTests: Rule = (files) =>
  where(files, /^test\/(?!tooling\/).*\.ts$/).flatMap((file) => {
    const found: Array<Violation> = []
    const rootOf = (node: ESTree.Node): string => {
      if (node.type === "MemberExpression") return rootOf(node.object)
      return node.type === "Identifier" ? node.name : ""
    }
    walk(file, {
      MemberExpression: (node) => {
        const name = node.property.type === "Identifier" ? node.property.name : ""
        if (/^(skip|only|todo)$/.test(name) && /^(it|test|describe)$/.test(rootOf(node))) {
          found.push(`${at(file, node.start)} uses ${name}`)
        }
      }
    })
    return found
  })

/** JSON is read by the one reader that V8's misread keys do not reach. */
export const oneJsonReader: Rule = (files) =>
  where(files, /^(src|schemas|plugins)\/.*\.ts$/).flatMap((file) => {
    const found: Array<Violation> = []
    walk(file, {
      MemberExpression: ({ object, property, start }) => {
        const isJson = object.type === "Identifier" && object.name === "JSON"
        if (isJson && property.type === "Identifier" && property.name === "parse") {
          found.push(`${at(file, start)} reads JSON by itself, not by src/core/codec/Json.ts`)
        }
      }
    })
    return file.path === "src/core/codec/Json.ts" ? [] : found
  })

/** A value is not made to fit by way of `unknown`: the compiler would check nothing. */
export const noDoubleCasts: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const found: Array<Violation> = []
    walk(file, {
      TSAsExpression: ({ expression, start }) => {
        const inner = expression.type === "TSAsExpression" ? expression.typeAnnotation.type : ""
        if (/^TS(Unknown|Any|Never)Keyword$/.test(inner)) {
          found.push(`${at(file, start)} casts a value to anything at all`)
        }
      }
    })
    return found
  })
