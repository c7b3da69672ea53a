/**
 * Lists every error that a caller can receive: few, in the domain's words, each with the counts
 * that were needed and had. They are schemas, because they cross HTTP and NATS.
 */
import * as Schema from "effect/Schema"
import { AccessDenied } from "./AccessDenied.ts"
import { Cancelled } from "./Cancelled.ts"
import { Closed } from "./Closed.ts"
import { DocumentTooLarge } from "./DocumentTooLarge.ts"
import { Overloaded } from "./Overloaded.ts"

export { AccessDenied, Cancelled, Closed, DocumentTooLarge, Overloaded }

/** No node that was asked knows this bucket. */
export class UnknownBucket extends Schema.TaggedError<UnknownBucket>()("UnknownBucket", {
  bucket: Schema.String
}) {
  override get message(): string {
    return `there is no bucket ${this.bucket} here`
  }
}

/** Caller and node mean different things by this bucket; joining would mix them up. */
export class BucketMismatch extends Schema.TaggedError<BucketMismatch>()("BucketMismatch", {
  bucket: Schema.String,
  /** Fingerprint the node knows. */
  expected: Schema.String,
  /** Fingerprint the caller sent. */
  actual: Schema.String
}) {
  override get message(): string {
    return `bucket ${this.bucket} is declared otherwise here: ${this.expected}, not ${this.actual}`
  }
}

export class UnknownOperation extends Schema.TaggedError<UnknownOperation>()("UnknownOperation", {
  bucket: Schema.String,
  operation: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const known = this.known.length === 0 ? "" : `; it has ${this.known.join(", ")}`
    return `bucket ${this.bucket} has no operation ${this.operation}${known}`
  }
}

/** A value or argument that the bucket does not take. */
export class InvalidValue extends Schema.TaggedError<InvalidValue>()("InvalidValue", {
  bucket: Schema.String,
  /** JSON path of the fault, such as `$.lines[2].quantity`. */
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `bucket ${this.bucket}, at ${this.path}: ${this.problem}`
  }
}

export class InvalidKey extends Schema.TaggedError<InvalidKey>()("InvalidKey", {
  bucket: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `bucket ${this.bucket}: ${this.problem}`
  }
}

/** A setting or a request that no node can meet: its name, its value, the accepted values. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  setting: Schema.String,
  value: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.setting} is ${this.value}, expected ${this.expected}`
  }
}

/**
 * Why a token was refused:
 *
 * - `malformed`: it is none;
 * - `damaged`: it changed since it was made;
 * - `unknown-key`: it was sealed under a key, or in a cluster, that is not this node's, or no more;
 * - `other-bucket`, `other-document`: it was made for that;
 * - `foreign`: one of these. Tokens before format 3 do not tell which.
 */
export type TokenRefusal = typeof tokenRefusals[number]

const tokenRefusals = [
  "malformed",
  "damaged",
  "unknown-key",
  "other-bucket",
  "other-document",
  "foreign"
] as const

/** A context token that no read of this document returned here, or that was changed since. */
export class BadContext extends Schema.TaggedError<BadContext>()("BadContext", {
  bucket: Schema.String,
  reason: Schema.Literals(tokenRefusals)
}) {
  override get message(): string {
    switch (this.reason) {
      case "malformed":
        return "the context is not one that a read returned"
      case "damaged":
        return "the context was changed since a read returned it"
      case "unknown-key":
        return "the context was sealed in another cluster, or with a cluster key that is not in "
          + "use here: read again"
      case "other-bucket":
        return `the context was read from another bucket than ${this.bucket}`
      case "other-document":
        return `the context was read from another document of bucket ${this.bucket}`
      case "foreign":
        return `the context was read from another document than this one of ${this.bucket}, or in `
          + "another cluster, or was changed since"
    }
  }
}

/** A delete of siblings without saying which ones were seen. */
export class ContextRequired extends Schema.TaggedError<ContextRequired>()("ContextRequired", {
  bucket: Schema.String
}) {
  override get message(): string {
    return `bucket ${this.bucket} deletes the siblings that were read: send the context of a read`
  }
}

/**
 * The node has done nothing, because the mark that the request brought proves nothing any more: it
 * is of another incarnation, too old, or from before the node refused this operation. A client
 * sends again with the mark named here.
 */
export class StaleMark extends Schema.TaggedError<StaleMark>()("StaleMark", {
  node: Schema.String,
  mark: Schema.String
}) {
  override get message(): string {
    return `node ${this.node} has a newer mark than the request named: ${this.mark}`
  }
}

/**
 * This operation was sent before, and nobody can tell whether it was applied. It is applied again
 * only where the request says so (`ifUnknown`).
 */
export class OperationUnknown extends Schema.TaggedError<OperationUnknown>()("OperationUnknown", {
  /** The nodes that could not tell, each with its reason. */
  nodes: Schema.Array(Schema.Struct({ node: Schema.String, reason: Schema.String })),
  mayHaveApplied: Schema.Literal(true)
}) {
  override get message(): string {
    const reasons = this.nodes.map(({ node, reason }) => `${node}: ${reason}`).join("; ")
    return `the operation may have applied already, and this cannot be told: ${reasons}`
  }
}

const Counts = Schema.Record(Schema.String, Schema.Int)
const Refusals = Schema.Array(Schema.Struct({ node: Schema.String, reason: Schema.String }))

const show = (counts: typeof Counts.Type): string =>
  Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ")

interface Unanswered {
  readonly unreachable: ReadonlyArray<string>
  readonly refused: typeof Refusals.Type
}

const unansweredText = ({ refused, unreachable }: Unanswered): string => {
  const away = unreachable.length > 0 ? `; no answer from ${unreachable.join(", ")}` : ""
  return away + refused.map(({ node, reason }) => `; ${node}: ${reason}`).join("")
}

const incompleteText = ({ incomplete = [] }: {
  readonly incomplete?: ReadonlyArray<string>
}): string => (incomplete.length === 0 ? "" : `; incomplete: ${incomplete.join(", ")}`)

/** Too few replicas answered in time. Try again, ask for less, or mend the cluster. */
export class QuorumNotMet extends Schema.TaggedError<QuorumNotMet>()("QuorumNotMet", {
  action: Schema.Literals(["read", "write"]),
  /** For a read `r` and `pr`, for a write `w`, `pw` and `dw`. */
  needed: Counts,
  had: Counts,
  unreachable: Schema.Array(Schema.String),
  refused: Refusals,
  /**
   * Nodes that answered, but may lack what they once had, so that not all of their answers count;
   * left out where there is none.
   */
  incomplete: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Whether the write may be there, or appear later, all the same. Never true of a read. */
  mayHaveApplied: Schema.Boolean
}) {
  override get message(): string {
    const maybe = this.mayHaveApplied ? "; it may have applied" : ""
    const counts = `${this.action} needed ${show(this.needed)}, had ${show(this.had)}`
    return `${counts}${unansweredText(this)}${incompleteText(this)}${maybe}`
  }
}

/**
 * Replicas answered, but have not yet seen all that this session or context has. May be retried.
 */
export class ContextNotCovered extends Schema.TaggedError<ContextNotCovered>()(
  "ContextNotCovered",
  {
    bucket: Schema.String,
    unreachable: Schema.Array(Schema.String),
    /** Only where there are any. */
    refused: Schema.optionalKey(Refusals)
  }
) {
  override get message(): string {
    return `the replicas of ${this.bucket} that answered have seen less than this session`
      + unansweredText({ refused: this.refused ?? [], unreachable: this.unreachable })
  }
}

/**
 * A removal whose context is so old that the sum which it had seen of a counter is not kept any
 * more. Nothing was changed. Read again, or remove without a context.
 */
export class ContextTooOld extends Schema.TaggedError<ContextTooOld>()("ContextTooOld", {
  bucket: Schema.String
}) {
  override get message(): string {
    return `a counter of ${this.bucket} was changed too often since the context was read: read `
      + "again, or remove without a context"
  }
}

/**
 * A page of keys would lack those of partitions of which too few replicas answered. Try again, ask
 * for a partial page, or mend the cluster.
 */
export class ListingIncomplete extends Schema.TaggedError<ListingIncomplete>()(
  "ListingIncomplete",
  {
    bucket: Schema.String,
    /** Of the partitions of the page, those of which enough replicas answered. */
    reached: Schema.Int,
    partitions: Schema.Int,
    unreachable: Schema.Array(Schema.String),
    refused: Refusals,
    /** Nodes that answered, but may lack keys that they once had; left out where there is none. */
    incomplete: Schema.optionalKey(Schema.Array(Schema.String))
  }
) {
  override get message(): string {
    const missing = this.partitions - this.reached
    return `a list of the keys of ${this.bucket} would lack ${missing} of ${this.partitions} `
      + `partitions${unansweredText(this)}${incompleteText(this)}`
  }
}

/** The node cannot take writes now (disk full or failing, too much waiting). Reads go on. */
export class NodeUnwritable extends Schema.TaggedError<NodeUnwritable>()("NodeUnwritable", {
  node: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `node ${this.node} takes no writes: ${this.reason}`
  }
}

/** The node stops, or has too many requests under way. May be retried elsewhere. */
export class NodeUnavailable extends Schema.TaggedError<NodeUnavailable>()("NodeUnavailable", {
  node: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `node ${this.node} is not available: ${this.reason}`
  }
}

/** A stored value that the bucket's schema does not read. It is kept as it is. */
export class Undecodable extends Schema.TaggedError<Undecodable>()("Undecodable", {
  bucket: Schema.String,
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `a stored value of bucket ${this.bucket} is invalid: ${this.path}: ${this.problem}`
  }
}

/** No node answered the client in time. */
export class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", {
  reason: Schema.String,
  mayHaveApplied: Schema.Boolean
}) {
  override get message(): string {
    return `${this.reason}${this.mayHaveApplied ? "; the write may have applied" : ""}`
  }
}

/** Every error of a request, as one schema. */
export const StoreError = Schema.Union([
  UnknownBucket,
  BucketMismatch,
  UnknownOperation,
  InvalidValue,
  InvalidKey,
  InvalidRequest,
  BadContext,
  ContextRequired,
  StaleMark,
  OperationUnknown,
  QuorumNotMet,
  ContextNotCovered,
  ContextTooOld,
  DocumentTooLarge,
  ListingIncomplete,
  NodeUnwritable,
  NodeUnavailable,
  Overloaded,
  Undecodable,
  NoAnswer,
  AccessDenied,
  Closed,
  Cancelled
])
export type StoreError = typeof StoreError.Type

/**
 * Whether an outcome says that nothing was changed, and another attempt at the same write may all
 * the same have changed something: the fault is not in the request.
 */
export const isPassing = (outcome: { readonly _tag: string }): boolean => {
  switch (outcome._tag) {
    case "ContextNotCovered":
    case "ContextTooOld":
    case "DocumentTooLarge":
    case "NodeUnavailable":
    case "NodeUnwritable":
    case "Overloaded":
    case "StaleMark":
      return true
    default:
      return "mayHaveApplied" in outcome && outcome.mayHaveApplied === false
  }
}

/** Whether an outcome leaves open that a write was applied, or will be. */
export const mayHaveApplied = (outcome: { readonly _tag: string }): boolean =>
  "mayHaveApplied" in outcome && outcome.mayHaveApplied === true
