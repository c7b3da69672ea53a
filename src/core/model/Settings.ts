/**
 * Lists the words by which buckets and requests say how many replicas matter, and when.
 */
import * as Schema from "effect/Schema"

/** How many of `n`: one, a majority, all, or a count. */
export const Replicas = Schema.Union([Schema.Literals(["one", "quorum", "all"]), Schema.Int])
export type Replicas = typeof Replicas.Type

/**
 * The usual choices. `available`: one replica, any. `balanced`: a majority, fallbacks counted.
 * `strict`: a majority, and a majority of complete primaries.
 */
export const Consistency = Schema.Literals(["available", "balanced", "strict"])
export type Consistency = typeof Consistency.Type

/**
 * When a replica acknowledges a write: `synced`, once it is on disk; `buffered`, from memory, on
 * disk with the next group commit; `one-synced`, on disk at the coordinator, from memory elsewhere.
 */
export const Durability = Schema.Literals(["synced", "buffered", "one-synced"])
export type Durability = typeof Durability.Type
