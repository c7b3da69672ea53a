/**
 * Tells schemas of another copy of `effect` apart. To this copy they look like schemas and have
 * none of their classes: it would take every value for one of an unknown kind, and store null.
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { Middleware, Transformation } from "effect/SchemaTransformation"
import { someNode } from "./SchemaNodes.ts"

/** The class that all nodes of this copy's schemas have in common. */
const nodeClass: unknown = Object.getPrototypeOf(Object.getPrototypeOf(Schema.String.ast))

const isOurs = (node: object): boolean =>
  typeof nodeClass === "object" && nodeClass !== null
  && Object.prototype.isPrototypeOf.call(nodeClass, node)

const isForeignCheck = (check: SchemaAST.Check<any>): boolean =>
  !(check instanceof SchemaAST.Filter || check instanceof SchemaAST.FilterGroup)

const isForeignLink = ({ transformation }: SchemaAST.Link): boolean =>
  !(transformation instanceof Transformation || transformation instanceof Middleware)

const isForeign = (node: SchemaAST.AST): boolean =>
  !isOurs(node) || (node.checks ?? []).some(isForeignCheck)
  || (node.encoding ?? []).some(isForeignLink)

/** Why a value is no schema that can be declared with; undefined where it is one. */
export const problemOf = (schema: unknown): string | undefined => {
  if (!Schema.isSchema(schema)) return "expected a schema, by the Schema of effect or everwrite"
  return someNode(schema.ast, isForeign)
    ? "the schema is of another copy of effect than everwrite's: npm ls effect shows the copies; "
      + "or take Schema from everwrite"
    : undefined
}
