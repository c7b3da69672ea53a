/**
 * Brings the key and the arguments of a request into the one form that each value has, or finds the
 * fault in them, with its path: by the bucket's schemas where this node has its code, and else by
 * the shapes in its definition.
 */
import type { CallBody } from "../../schemas/ClientRequest.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import type { DocumentKey } from "../core/model/DocumentKey.ts"
import { encodeKey } from "../core/model/KeyFields.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import type { ArgumentKind, Operation } from "../core/strategy/Strategy.ts"
import { SchemaMismatch } from "../core/strategy/ValueCodec.ts"
import type { Call } from "../replica/Replica.ts"

type Argument = CanonicalJson.Canonical | string | number

/** A call with its arguments as they are stored. */
export interface ValidatedCall extends Call {
  readonly args: ReadonlyArray<Argument>
}

/** The key of JSON. Throws `MalformedKey`, or `SchemaMismatch` where only the schema refuses. */
export const keyOf = ({ code, definition: { key } }: KnownBucket, json: unknown): DocumentKey => {
  const encoded = encodeKey(key, json)
  // A bare key is a text by both, and has one form.
  return code === undefined || key.bare ? encoded : encodeKey(key, code.key.normalize(json))
}

/** The argument in the form in which it is stored. Throws `InvalidJson` or `SchemaMismatch`. */
const argumentOf = (kind: ArgumentKind, json: unknown): Argument => {
  switch (kind) {
    case "value":
      if (json === undefined) throw new SchemaMismatch("$", "a value is missing")
      return new CanonicalJson.Canonical(CanonicalJson.encode(json))
    case "key":
      if (typeof json !== "string") {
        throw new SchemaMismatch("$", "expected the key of a map entry, as text")
      }
      CanonicalJson.check(json)
      return json
    case "integer":
      if (typeof json !== "number" || !Number.isSafeInteger(json)) {
        throw new SchemaMismatch("$", "expected an integer from -(2^53 - 1) to 2^53 - 1")
      }
      return json
  }
}

const faultOf = (thrown: unknown): { readonly path: string; readonly problem: string } => {
  if (thrown instanceof SchemaMismatch || thrown instanceof CanonicalJson.InvalidJson) return thrown
  throw thrown
}

/** The call of an operation with these arguments, or the error that names the fault in them. */
export const callOf = (
  bucket: KnownBucket,
  operation: Operation,
  args: ReadonlyArray<unknown>
): ValidatedCall | Errors.InvalidValue => {
  const { name } = bucket.definition
  const { args: kinds } = operation
  const invalid = (path: string, problem: string) =>
    new Errors.InvalidValue({ bucket: name, path, problem })
  let normal = args
  try {
    if (bucket.code !== undefined) normal = bucket.code.normalizeArguments(operation.name, args)
  } catch (thrown) {
    const { path, problem } = faultOf(thrown)
    return invalid(path, problem)
  }
  if (normal.length > kinds.length) {
    return invalid("$", `${operation.name} takes ${kinds.length} arguments`)
  }
  let at = 0
  try {
    const stored = kinds.map((kind, i) => {
      at = i
      return argumentOf(kind, normal[i])
    })
    return { operation, args: stored }
  } catch (thrown) {
    const { path, problem } = faultOf(thrown)
    return invalid(`$[${at}]${path.slice(1)}`, problem)
  }
}

/** A call as it is sent to another node. */
export const bodyOf = ({ args, operation }: ValidatedCall): CallBody => ({
  name: operation.name,
  args: args.map((arg) => arg instanceof CanonicalJson.Canonical ? arg.json : arg)
})
