/**
 * Looks into a schema: at all nodes that it is made of, with those that its values are encoded to.
 */
import type * as SchemaAST from "effect/SchemaAST"

const partsOf = (node: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> => {
  switch (node._tag) {
    case "Declaration":
      return node.typeParameters
    case "TemplateLiteral":
      return node.parts
    case "Arrays":
      return [...node.elements, ...node.rest]
    case "Objects":
      return [
        ...node.propertySignatures.map(({ type }) => type),
        ...node.indexSignatures.flatMap(({ parameter, type }) => [parameter, type])
      ]
    case "Union":
      return node.types
    case "Suspend":
      return [node.thunk()]
    default:
      return []
  }
}

/** Whether any node is of this kind. It looks no further into one that is. */
export const someNode = (
  schema: SchemaAST.AST,
  isKind: (node: SchemaAST.AST) => boolean
): boolean => {
  const seen = new Set<SchemaAST.AST>()
  const has = (node: SchemaAST.AST): boolean => {
    if (isKind(node)) return true
    if (seen.has(node)) return false
    seen.add(node)
    return [...partsOf(node), ...(node.encoding ?? []).map(({ to }) => to)].some(has)
  }
  return has(schema)
}
