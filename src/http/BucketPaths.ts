/**
 * Adds to the OpenAPI document the paths of the buckets that a node serves, with the fields of
 * their keys, the arguments of their operations and the shape of their views, as far as their
 * definitions tell, and with an example of each.
 */
import type { BucketBody } from "../../schemas/ClusterDescription.ts"
import type { TypeDefinition } from "../core/model/BucketDefinition.ts"

type Spec = Record<string, any>
type Kind = BucketBody["operations"][string][number]

const docs = "/v1/buckets/{bucket}/docs"
const anyOperation = `${docs}/ops/{operation}`

/** The value that a reader gets of a type; of a register any JSON, or null where it is not set. */
const viewOf = (type: TypeDefinition): Spec => {
  switch (type.type) {
    case "counter":
      return { type: "integer", example: 2 }
    case "set":
      return { type: "array", items: {}, example: ["apple"] }
    case "register":
      return { example: "text" }
    case "map":
      return {
        type: "object",
        additionalProperties: viewOf(type.of),
        example: { apple: viewOf(type.of)["example"] }
      }
    case "document": {
      const fields = Object.entries(type.fields).map(([name, of]) => [name, viewOf(of)] as const)
      return {
        type: "object",
        properties: Object.fromEntries(fields),
        example: Object.fromEntries(fields.map(([name, { example }]) => [name, example]))
      }
    }
  }
}

const keyParameter = ({ definition: { key } }: BucketBody): Spec => {
  const base = { name: "key", in: "query", required: true }
  if (key.bare) {
    return { ...base, description: "The key, a text", schema: { type: "string" }, example: "alice" }
  }
  const fields = [...key.partition, ...key.sort]
  const example = fields.map(([name, type]) => [name, type === "integer" ? 1 : "a"] as const)
  return {
    ...base,
    description: `The key: a JSON object of ${fields.map(([name]) => name).join(", ")}`,
    content: {
      "application/json": {
        schema: {
          type: "object",
          properties: Object.fromEntries(
            fields.map(([name, type]) => [name, { type: type === "text" ? "string" : type }])
          ),
          required: fields.map(([name]) => name)
        },
        example: Object.fromEntries(example)
      }
    }
  }
}

const argument: Readonly<Record<Kind, Spec>> = {
  integer: { type: "integer" },
  key: { type: "string" },
  value: {}
}

const examples: Readonly<Record<Kind, unknown>> = { integer: 2, key: "apple", value: "text" }

/** The arguments of an operation, as one array. */
const argumentsBody = (kinds: ReadonlyArray<Kind>): Spec => ({
  required: true,
  content: {
    "application/json": {
      schema: {
        type: "array",
        prefixItems: kinds.map((kind) => argument[kind]),
        minItems: kinds.length,
        maxItems: kinds.length
      },
      example: kinds.map((kind) => examples[kind])
    }
  }
})

/** An operation of the general paths, for one bucket. */
const ofBucket = (
  general: Spec,
  bucket: BucketBody,
  own: { readonly id: string; readonly summary?: string; readonly body?: Spec }
): Spec => {
  const { name, strategy } = bucket.definition
  const parameters = general["parameters"].filter(({ in: place }: Spec) => place !== "path")
    .map((item: Spec) => item["name"] === "key" ? keyParameter(bucket) : item)
  const found = general["responses"]["200"]
  const shown = "type" in strategy
    ? { ...found, content: { "application/json": { schema: viewOf(strategy.type) } } }
    : found
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

const pathsOf = (paths: Spec, bucket: BucketBody): Spec => {
  const { definition: { name }, operations } = bucket
  const own = docs.replace("{bucket}", name)
  const { delete: del, get, put } = paths[docs]
  const post = paths[anyOperation]["post"]
  const whole = Object.hasOwn(operations, "put")
  return {
    [own]: {
      get: ofBucket(get, bucket, { id: "get" }),
      ...whole ? { put: ofBucket(put, bucket, { id: "put" }) } : {},
      delete: ofBucket(del, bucket, { id: "delete" })
    },
    ...Object.fromEntries(
      Object.entries(operations)
        .filter(([operation]) => operation !== "put" && operation !== "delete")
        .map(([operation, kinds]) => [`${own}/ops/${operation}`, {
          post: ofBucket(post, bucket, {
            id: `ops.${operation}`,
            summary: `Apply ${operation}`,
            body: argumentsBody(kinds)
          })
        }])
    )
  }
}

/** With the paths of these buckets, behind those that take any bucket. */
export const withBuckets = (spec: Spec, buckets: ReadonlyArray<BucketBody>): Spec => ({
  ...spec,
  paths: Object.assign({}, spec["paths"], ...buckets.map((one) => pathsOf(spec["paths"], one))),
  tags: [...spec["tags"], ...buckets.map(({ definition: { name } }) => ({ name }))]
})
