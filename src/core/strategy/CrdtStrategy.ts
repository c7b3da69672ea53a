/**
 * Reconciles by data type. A type is compiled into operations once, when the bucket is made
 * known; each knows the path of names that leads to its leaf.
 *
 * Operations of nested types are named by the fields on the way, `lines.add`, and take the keys
 * of the maps on the way as their first arguments.
 */
import { type Document, visibleStore } from "../crdt/Document.ts"
import { childKey, type DotStore } from "../crdt/DotStore.ts"
import type { TypeDefinition } from "../model/BucketDefinition.ts"
import * as CounterType from "./CounterType.ts"
import { invalid } from "./Mutations.ts"
import * as RegisterType from "./RegisterType.ts"
import { removeAt } from "./RemoveAt.ts"
import * as SetType from "./SetType.ts"
import type { LeafOperation, Mutation, Operation, Strategy, Unchanged } from "./Strategy.ts"
import { definesCounter, kindOf, needsInner } from "./TypeShape.ts"
import { greatestStamp, viewOf } from "./TypeView.ts"

const keyArgument = (mutation: Mutation): string | Unchanged => {
  const key = mutation.args[0]
  if (typeof key !== "string") return invalid("$[0]", "expected the key of a map entry, as text")
  if (!key.isWellFormed()) return invalid("$[0]", "text with a lone surrogate")
  return key
}

/** Below a map, the first argument is the key of the entry. */
const underKey = (inner: LeafOperation, kind: DotStore["kind"]): LeafOperation => ({
  name: inner.name,
  args: ["key", ...inner.args],
  mutate: (mutation, path) => {
    const key = keyArgument(mutation)
    if (typeof key !== "string") return key
    const rest = { ...mutation, args: mutation.args.slice(1) }
    return inner.mutate(rest, [...path, childKey(kind, key)])
  }
})

const mapOperations = (of: TypeDefinition): ReadonlyArray<LeafOperation> => {
  const inner = operationsOf(of).map((operation) =>
    needsInner(of) ? { ...operation, name: `inner.${operation.name}` } : operation
  )
  const drop: LeafOperation = {
    name: "drop",
    args: [],
    mutate: (mutation, path) => removeAt(mutation, path, { counters: definesCounter(of) })
  }
  return [...inner, drop].map((operation) => underKey(operation, kindOf(of)))
}

const fieldOperations = (
  [field, type]: readonly [string, TypeDefinition]
): ReadonlyArray<LeafOperation> =>
  operationsOf(type).map((inner) => ({
    ...inner,
    name: `${field}.${inner.name}`,
    mutate: (mutation, path) => inner.mutate(mutation, [...path, childKey(kindOf(type), field)])
  }))

const operationsOf = (type: TypeDefinition): ReadonlyArray<LeafOperation> => {
  switch (type.type) {
    case "counter":
      return CounterType.operations
    case "register":
      return RegisterType.operations
    case "set":
      return SetType.operations
    case "map":
      return mapOperations(type.of)
    case "document":
      return Object.entries(type.fields).flatMap(fieldOperations)
  }
}

/** The strategy of a bucket of this type. */
export const make = (type: TypeDefinition): Strategy => {
  const operations = new Map<string, Operation>()
  for (const { name, args, mutate } of operationsOf(type)) {
    operations.set(name, { name, args, deletes: false, mutate: (m) => mutate(m, []) })
  }
  operations.set("delete", {
    name: "delete",
    args: [],
    deletes: true,
    mutate: (mutation) => removeAt(mutation, [], { counters: definesCounter(type) })
  })
  return {
    name: `crdt-${type.type}`,
    version: 1,
    kind: kindOf(type),
    operations,
    view: (document: Document, nowMillis) => viewOf(type, visibleStore(document, nowMillis)),
    stampOf: (document: Document) => greatestStamp(document.store)
  }
}
