/**
 * Tells schemas of another copy of `effect` apart. To this copy they look like schemas and have
 * none of their classes: it would take every value for one of an unknown kind, and store null.
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { Middleware, Transformation } from "effect/SchemaTransformation"

/** The class that all nodes of this copy's schemas have in common. */
const nodeClass: unknown = Object.getPrototypeOf(Object.getPrototypeOf(Schema.String.ast))

const isOurs = (node: object): boolean =>
  typeof nodeClass === "object" && nodeClass !== null
  && Object.prototype.isPrototypeOf.call(nodeClass, node)

const partsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> => {
  switch (ast._tag) {
    case "Declaration":
      return ast.typeParameters
    case "TemplateLiteral":
      return ast.parts
    case "Arrays":
      return [...ast.elements, ...ast.rest]
    case "Objects":
      return [
        ...ast.propertySignatures.map(({ type }) => type),
        ...ast.indexSignatures.flatMap(({ parameter, type }) => [parameter, type])
      ]
    case "Union":
      return ast.types
    case "Suspend":
      return [ast.thunk()]
    default:
      return []
  }
}

const isForeignCheck = (check: SchemaAST.Check<any>): boolean =>
  !(check instanceof SchemaAST.Filter || check instanceof SchemaAST.FilterGroup)

const isForeignLink = ({ transformation }: SchemaAST.Link): boolean =>
  !(transformation instanceof Transformation || transformation instanceof Middleware)

const hasForeignNode = (ast: SchemaAST.AST, seen: Set<SchemaAST.AST>): boolean => {
  if (!isOurs(ast)) return true
  if (seen.has(ast)) return false
  seen.add(ast)
  const { checks = [], encoding = [] } = ast
  if (checks.some(isForeignCheck) || encoding.some(isForeignLink)) return true
  const parts = [...partsOf(ast), ...encoding.map(({ to }) => to)]
  return parts.some((part) => hasForeignNode(part, seen))
}

/** Why a value is no schema that can be declared with; undefined where it is one. */
export const problemOf = (schema: unknown): string | undefined => {
  if (!Schema.isSchema(schema)) return "expected a schema, by the Schema of effect or everwrite"
  return hasForeignNode(schema.ast, new Set())
    ? "the schema is of another copy of effect than everwrite's: npm ls effect shows the copies; "
      + "or take Schema from everwrite"
    : undefined
}
