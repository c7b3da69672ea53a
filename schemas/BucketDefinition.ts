/**
 * Describes buckets without their code, as they stand in configuration files and answers:
 * version 1.
 */
import * as Schema from "effect/Schema"
import { BucketName } from "../src/core/model/Names.ts"
import { type TypeDefinition, unmet } from "../src/core/model/BucketDefinition.ts"
import { problemOf } from "../src/core/strategy/TypeShape.ts"
import { Consistency, Durability, Replicas } from "../src/core/model/Settings.ts"

export const TypeDefinitionBody: Schema.Codec<TypeDefinition> = Schema.Union([
  Schema.Struct({ type: Schema.Literal("counter") }),
  Schema.Struct({ type: Schema.Literal("set") }),
  Schema.Struct({ type: Schema.Literal("register") }),
  Schema.Struct({
    type: Schema.Literal("map"),
    of: Schema.suspend((): Schema.Codec<TypeDefinition> => TypeDefinitionBody)
  }),
  Schema.Struct({
    type: Schema.Literal("document"),
    fields: Schema.Record(
      Schema.String,
      Schema.suspend((): Schema.Codec<TypeDefinition> => TypeDefinitionBody)
    )
  })
]).annotate({ identifier: "TypeDefinition" })

const Field = Schema.Tuple([Schema.String, Schema.Literals(["text", "integer"])])

export const BucketDefinition = Schema.Struct({
  name: BucketName,
  strategy: Schema.Union([
    Schema.Struct({ family: Schema.Literal("lww") }),
    Schema.Struct({ family: Schema.Literal("siblings") }),
    Schema.Struct({ family: Schema.Literal("merge"), version: Schema.Int }),
    Schema.Struct({ family: Schema.Literal("crdt"), type: TypeDefinitionBody })
  ]),
  key: Schema.Struct({
    bare: Schema.Boolean,
    partition: Schema.Array(Field),
    sort: Schema.Array(Field)
  }),
  n: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 15 })),
  defaults: Schema.Struct({
    consistency: Schema.optionalKey(Consistency),
    r: Schema.optionalKey(Replicas),
    w: Schema.optionalKey(Replicas),
    pr: Schema.optionalKey(Replicas),
    pw: Schema.optionalKey(Replicas),
    dw: Schema.optionalKey(Replicas)
  }),
  durability: Durability,
  schema: Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/u))
}).check(
  Schema.makeFilter(unmet),
  Schema.makeFilter(({ strategy }) =>
    strategy.family === "crdt" ? problemOf(strategy.type) : undefined
  )
)
