/**
 * Adds to the OpenAPI document the paths of the buckets that a node serves, with the fields of
 * their keys, the arguments of their operations and the shape of their views, and an example of
 * each: by the application's schemas where the node has them, else as far as the definition tells.
 */
import type { BucketBody } from "../../schemas/ClusterDescription.ts"
import type { Json } from "../core/codec/Json.ts"
import type { TypeDefinition } from "../core/model/BucketDefinition.ts"
import { needsInner } from "../core/strategy/TypeShape.ts"
import { type CodeSchemas, type Described, type JsonSchema, usualValue } from "./CodeSchemas.ts"

type Spec = Record<string, any>
type Kind = BucketBody["operations"][string][number]

const docs = "/v1/buckets/{bucket}/docs"
const anyOperation = `${docs}/ops/{operation}`

/** The description of the last argument of an operation, where the node has the bucket's code. */
type LastArgument = (operation: string) => Described | undefined

/**
 * The value that a reader gets of a type, whose operations begin with `prefix`; of a register
 * without code any JSON, or null where it is not set.
 */
const viewOf = (type: TypeDefinition, last: LastArgument, prefix = ""): Spec => {
  switch (type.type) {
    case "counter":
      return { type: "integer", example: 2 }
    case "set": {
      const { example, schema } = last(`${prefix}add`) ?? { schema: {}, example: "apple" }
      return { type: "array", items: schema, example: example === undefined ? [] : [example] }
    }
    case "register": {
      const { example = null, schema } = last(`${prefix}set`) ?? { schema: {}, example: "text" }
      return isAny(schema) ? { example } : { anyOf: [schema, { type: "null" }], example }
    }
    case "map": {
      const of = viewOf(type.of, last, needsInner(type.of) ? `${prefix}inner.` : prefix)
      return { type: "object", additionalProperties: of, example: { apple: of["example"] } }
    }
    case "document": {
      const fields = Object.entries(type.fields)
        .map(([name, of]) => [name, viewOf(of, last, `${prefix}${name}.`)] as const)
      return {
        type: "object",
        properties: Object.fromEntries(fields),
        example: Object.fromEntries(fields.map(([name, { example }]) => [name, example]))
      }
    }
  }
}

const isAny = (schema: JsonSchema): boolean => Object.keys(schema).length === 0

/** A value that is written whole, or several where they were not merged. */
const wholeOf = ({ schema }: Described): Spec =>
  isAny(schema) ? {} : {
    anyOf: [schema, {
      type: "object",
      properties: { siblings: { type: "array", items: schema } },
      required: ["siblings"]
    }]
  }

/** An example of a key that its definition allows. */
export const usualKey = ({ key }: BucketBody["definition"]): Json =>
  key.bare ? "alice" : Object.fromEntries(
    [...key.partition, ...key.sort].map(([name, type]) => [name, type === "integer" ? 1 : "a"])
  )

const withExample = (example: unknown): Spec => example === undefined ? {} : { example }

const keyParameter = ({ definition }: BucketBody, code: CodeSchemas | undefined): Spec => {
  const { key } = definition
  const base = { name: "key", in: "query", required: true }
  const { example, schema } = code?.key
    ?? { schema: key.bare ? { type: "string" } : fieldsSchema(key), example: usualKey(definition) }
  if (key.bare) {
    return { ...base, description: "The key, a text", schema, ...withExample(example) }
  }
  const names = [...key.partition, ...key.sort].map(([name]) => name)
  return {
    ...base,
    description: `The key: a JSON object of ${names.join(", ")}`,
    content: { "application/json": { schema, ...withExample(example) } }
  }
}

const fieldsSchema = ({ partition, sort }: BucketBody["definition"]["key"]): JsonSchema => {
  const fields = [...partition, ...sort]
  return {
    type: "object",
    properties: Object.fromEntries(
      fields.map(([name, type]) => [name, { type: type === "text" ? "string" : type }])
    ),
    required: fields.map(([name]) => name)
  }
}

const argument: Readonly<Record<Kind, Spec>> = {
  integer: { type: "integer" },
  key: { type: "string" },
  value: {}
}

const examples: Readonly<Record<Kind, unknown>> = { integer: 2, key: "apple", value: usualValue }

/** An argument as the application declares it, else by its kind. */
const argumentOf = (kind: Kind, declared: Described | undefined): Described =>
  kind === "value" && declared !== undefined
    ? declared
    : { schema: argument[kind], example: examples[kind] }

/** The arguments of an operation, as one array. */
const argumentsBody = (args: ReadonlyArray<Described>): Spec => {
  const known = args.map(({ example }) => example)
  return {
    required: true,
    content: {
      "application/json": {
        schema: {
          type: "array",
          prefixItems: args.map(({ schema }) => schema),
          minItems: args.length,
          maxItems: args.length
        },
        ...known.includes(undefined) ? {} : { example: known }
      }
    }
  }
}

/** The value of a put as the application declares it. */
const putBody = (general: Spec, declared: Described | undefined): Spec | undefined =>
  declared === undefined ? undefined : {
    ...general["requestBody"],
    content: {
      "application/json": { schema: declared.schema, ...withExample(declared.example) }
    }
  }

/** A bucket, with the schemas of its code where the node has it. */
export interface Typed {
  readonly bucket: BucketBody
  readonly code: CodeSchemas | undefined
}

/** The answer of a read; undefined where any JSON may come. */
const viewIn = (
  strategy: BucketBody["definition"]["strategy"],
  code: CodeSchemas | undefined
): Spec | undefined => {
  if ("type" in strategy) {
    return viewOf(strategy.type, (operation) => code?.lastArgument(operation))
  }
  const value = code?.argument("put", 0)
  return value === undefined ? undefined : wholeOf(value)
}

/** An operation of the general paths, for one bucket. */
const ofBucket = (
  general: Spec,
  { bucket, code }: Typed,
  own: { readonly id: string; readonly summary?: string; readonly body?: Spec | undefined }
): Spec => {
  const { name, strategy } = bucket.definition
  const parameters = general["parameters"].filter(({ in: place }: Spec) => place !== "path")
    .map((item: Spec) => item["name"] === "key" ? keyParameter(bucket, code) : item)
  const found = general["responses"]["200"]
  const view = viewIn(strategy, code)
  const shown = view === undefined
    ? found
    : { ...found, content: { "application/json": { schema: view } } }
  return {
    ...general,
    tags: [name],
    operationId: `${name}.${own.id}`,
    summary: own.summary ?? general["summary"],
    parameters,
    responses: found === undefined
      ? general["responses"]
      : { ...general["responses"], 200: shown },
    ...own.body === undefined ? {} : { requestBody: own.body }
  }
}

const pathsOf = (paths: Spec, typed: Typed): Spec => {
  const { bucket, code } = typed
  const { definition: { name }, operations } = bucket
  const own = docs.replace("{bucket}", name)
  const { delete: del, get, put } = paths[docs]
  const post = paths[anyOperation]["post"]
  const whole = Object.hasOwn(operations, "put")
  return {
    [own]: {
      get: ofBucket(get, typed, { id: "get" }),
      ...whole
        ? {
          put: ofBucket(put, typed, {
            id: "put",
            body: putBody(put, code?.argument("put", 0))
          })
        }
        : {},
      delete: ofBucket(del, typed, { id: "delete" })
    },
    ...Object.fromEntries(
      Object.entries(operations)
        .filter(([operation]) => operation !== "put" && operation !== "delete")
        .map(([operation, kinds]) => [`${own}/ops/${operation}`, {
          post: ofBucket(post, typed, {
            id: `ops.${operation}`,
            summary: `Apply ${operation}`,
            body: argumentsBody(
              kinds.map((kind, i) => argumentOf(kind, code?.argument(operation, i)))
            )
          })
        }])
    )
  }
}

/** With the paths of these buckets, behind those that take any bucket. */
export const withBuckets = (spec: Spec, buckets: ReadonlyArray<Typed>): Spec => ({
  ...spec,
  paths: Object.assign({}, spec["paths"], ...buckets.map((one) => pathsOf(spec["paths"], one))),
  components: {
    ...spec["components"],
    schemas: Object.assign(
      {},
      spec["components"]["schemas"],
      ...buckets.map(({ code }) => code?.definitions)
    )
  },
  tags: [...spec["tags"], ...buckets.map(({ bucket }) => ({ name: bucket.definition.name }))]
})
