/**
 * Describes a bucket without its code: all that a node needs to place, join, store and serve its
 * documents. Only the application's code can check a value or merge siblings; that is left to the
 * nodes and clients that have the code.
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

/** The defaults of the bucket's requests. */
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

/** The least that each count may be. */
const leasts = { r: 1, w: 1, pr: 0, pw: 0, dw: 0 } as const
const counts = ["r", "w", "pr", "pw", "dw"] as const

/**
 * The default of a bucket that no `n` replicas can meet, in words; undefined if they can meet all.
 */
export const unmet = ({ defaults, n }: Pick<BucketDefinition, "defaults" | "n">) => {
  for (const name of counts) {
    const value = defaults[name]
    const least = leasts[name]
    if (typeof value !== "number") continue
    if (Number.isInteger(value) && value >= least && value <= n) continue
    return `${name} is ${value}, expected one, quorum, all, or an integer from ${least} to ${n}`
  }
  return undefined
}

/**
 * The bucket as a cluster of so many nodes serves it: with fewer than `n`, each of them holds each
 * document, and a default that asks for more of them asks for all.
 */
export const fitted = (definition: BucketDefinition, nodes: number): BucketDefinition => {
  const n = Math.min(definition.n, nodes)
  const defaults: { -readonly [Name in keyof QuorumDefaults]: QuorumDefaults[Name] } = {
    ...definition.defaults
  }
  for (const name of counts) {
    const value = defaults[name]
    if (typeof value === "number") defaults[name] = Math.min(value, n)
  }
  return { ...definition, n, defaults }
}

/**
 * The fingerprint, which must be equal wherever a bucket is used: 16 hexadecimal digits over its
 * name, strategy, key and schemas. Settings that only steer requests (n, defaults, durability) are
 * left out.
 */
export const fingerprint = (definition: BucketDefinition): string =>
  digest64(CanonicalJson.encode({
    name: definition.name,
    strategy: definition.strategy,
    key: definition.key,
    schema: definition.schema
  }))
