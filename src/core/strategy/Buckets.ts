/**
 * Lists the buckets that a node knows, each with its strategy, and with its code where the node
 * has it.
 */
import { type BucketDefinition, fingerprint } from "../model/BucketDefinition.ts"
import type { Any } from "./Bucket.ts"
import type { BucketCode } from "./BucketCode.ts"
import * as Strategies from "./Strategies.ts"
import type { Strategy } from "./Strategy.ts"

export interface KnownBucket {
  readonly definition: BucketDefinition
  readonly fingerprint: string
  readonly strategy: Strategy
  /** Undefined on a node that knows the bucket by its definition only. */
  readonly code: BucketCode | undefined
}

export type Buckets = ReadonlyMap<string, KnownBucket>

const isDeclared = (bucket: Any | BucketDefinition): bucket is Any => "code" in bucket

/** The buckets of these declarations and definitions, by name; a later one replaces an earlier. */
export const make = (buckets: Iterable<Any | BucketDefinition>): Buckets => {
  const known = new Map<string, KnownBucket>()
  for (const bucket of buckets) {
    const definition = isDeclared(bucket) ? bucket.definition : bucket
    known.set(definition.name, {
      definition,
      fingerprint: fingerprint(definition),
      strategy: Strategies.make(definition.strategy),
      code: isDeclared(bucket) ? bucket.code : undefined
    })
  }
  return known
}
