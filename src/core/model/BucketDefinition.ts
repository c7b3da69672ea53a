/**
 * Describes a bucket without its code: all that a node needs to place, join, store and serve its
 * documents. What only the application's code can do (check a value, merge siblings) is left to
 * the nodes and clients that have it.
 */
import { digest64 } from "../Hash.ts"
import * as CanonicalJson from "./CanonicalJson.ts"
import type { BucketName } from "./Names.ts"
import type { Consistency, Durability, Replicas } from "./Settings.ts"

/** The built-in data types, as far as their shape goes. */
export type TypeDefinition =
  | { readonly type: "counter" }
  | { readonly type: "set" }
  | { readonly type: "register" }
  | { readonly type: "map"; readonly of: TypeDefinition }
  | { readonly type: "document"; readonly fields: Readonly<Record<string, TypeDefinition>> }

/** How a bucket's states are reconciled. */
export type StrategyDefinition =
  | { readonly family: "lww" }
  | { readonly family: "siblings" }
  | { readonly family: "merge"; readonly version: number }
  | { readonly family: "crdt"; readonly type: TypeDefinition }

export type KeyFieldType = "text" | "integer"

/** The fields of a key, in the order they are compared. */
export interface KeyDefinition {
  /** Whether the key is one bare text, not an object of fields. */
  readonly bare: boolean
  readonly partition: ReadonlyArray<readonly [name: string, type: KeyFieldType]>
  readonly sort: ReadonlyArray<readonly [name: string, type: KeyFieldType]>
}

/** What requests to a bucket ask for unless they say otherwise. */
export interface QuorumDefaults {
  readonly consistency?: Consistency
  readonly r?: Replicas
  readonly w?: Replicas
  readonly pr?: Replicas
  readonly pw?: Replicas
  readonly dw?: Replicas
}

export interface BucketDefinition {
  readonly name: BucketName
  readonly strategy: StrategyDefinition
  readonly key: KeyDefinition
  /** How many replicas each document has. */
  readonly n: number
  readonly defaults: QuorumDefaults
  readonly durability: Durability
  /** 16 hexadecimal digits over the schemas of the values. */
  readonly schema: string
}

/**
 * What must be alike wherever a bucket is used: 16 hexadecimal digits over its name, strategy,
 * key and schemas. Settings that only steer requests (n, defaults, durability) are left out.
 */
export const fingerprint = (definition: BucketDefinition): string =>
  digest64(CanonicalJson.encode({
    name: definition.name,
    strategy: definition.strategy,
    key: definition.key,
    schema: definition.schema
  }))
