/**
 * Generates the operations of a data type, under the names that its users call them by, each with
 * what it means.
 */
import * as fc from "fast-check"
import type { TypeDefinition } from "../../src/core/model/BucketDefinition.ts"
import * as CanonicalJson from "../../src/core/model/CanonicalJson.ts"
import type { Request } from "./SpecifiedCluster.ts"
import type { TypeChange } from "./TypeSpecification.ts"

type Requests = ReadonlyArray<fc.Arbitrary<Request<TypeChange>>>

const elements = fc.constantFrom<unknown>("a", "b", { size: 1 })
const keys = fc.constantFrom("x", "toString")

const request = (
  operation: string,
  args: ReadonlyArray<unknown>,
  change: TypeChange
): Request<TypeChange> => ({ operation, args, change })

const removal = (operation: string, of: TypeDefinition) =>
  fc.constant(request(operation, [], { path: [], tag: "removal", of }))

/** `inner`, below the entry of a map or the field of a document. */
const below = (
  inner: Request<TypeChange>,
  at: { readonly operation: string; readonly name: string; readonly args: ReadonlyArray<unknown> }
): Request<TypeChange> =>
  request(at.operation, [...at.args, ...inner.args], {
    ...inner.change,
    path: [at.name, ...inner.change.path]
  })

const mapRequests = (of: TypeDefinition): Requests => {
  const prefix = of.type === "map" ? "inner." : ""
  const inner = requests(of).map((one) =>
    one.map((request) => ({ ...request, operation: prefix + request.operation }))
  )
  return [...inner, removal("drop", of)].map((one) =>
    fc.tuple(keys, one).map(([key, inner]) =>
      below(inner, { operation: inner.operation, name: key, args: [key] })
    )
  )
}

const requests = (type: TypeDefinition): Requests => {
  switch (type.type) {
    case "counter":
      return [
        fc.integer({ min: -3, max: 9 }).map((amount) =>
          request("add", [amount], { path: [], tag: "amount", amount })
        )
      ]
    case "register":
      return [
        fc.nat({ max: 99 }).map((value) =>
          request("set", [value], { path: [], tag: "write", value })
        ),
        removal("clear", type)
      ]
    case "set":
      return [
        elements.map((element) => {
          const path = [CanonicalJson.encode(element)]
          return request("add", [element], { path, tag: "element", element })
        }),
        elements.map((element) => {
          const path = [CanonicalJson.encode(element)]
          return request("remove", [element], { path, tag: "removal", of: type })
        })
      ]
    case "map":
      return mapRequests(type.of)
    case "document":
      return Object.entries(type.fields).flatMap(([name, of]) =>
        requests(of).map((one) =>
          one.map((inner) =>
            below(inner, { operation: `${name}.${inner.operation}`, name, args: [] })
          )
        )
      )
  }
}

/** Every operation of a bucket of `type`, a deletion seldom. */
export const typeRequests = (type: TypeDefinition): fc.Arbitrary<Request<TypeChange>> =>
  fc.oneof(
    { arbitrary: fc.oneof(...requests(type)), weight: 9 },
    { arbitrary: removal("delete", type), weight: 1 }
  )

/** Whether there are counters in a part of this type. */
export const hasCounter = (type: TypeDefinition): boolean =>
  JSON.stringify(type).includes(`"counter"`)
