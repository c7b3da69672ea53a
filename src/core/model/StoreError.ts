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
import { ContextNotCovered, ListingIncomplete, QuorumNotMet } from "./QuorumErrors.ts"
import { EverwriteError, requestError, type RequestPlace } from "./RequestError.ts"

export {
  AccessDenied,
  Cancelled,
  Closed,
  ContextNotCovered,
  DocumentTooLarge,
  EverwriteError,
  ListingIncomplete,
  Overloaded,
  QuorumNotMet,
  type RequestPlace
}

/** No node that was asked knows this bucket. */
export class UnknownBucket extends requestError<UnknownBucket>()("UnknownBucket", {
  bucket: Schema.String
}) {
  override get message(): string {
    return `there is no bucket ${this.bucket} here`
  }
}

/** Caller and node mean different things by this bucket; joining would mix them up. */
export class BucketMismatch extends requestError<BucketMismatch>()("BucketMismatch", {
  bucket: Schema.String,
  /** Fingerprint the node knows. */
  expected: Schema.String,
  /** Fingerprint the caller sent. */
  actual: Schema.String,
  /** Each thing that differs, where both declarations are known: `key: text here, n text there`. */
  differs: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message(): string {
    const differing = this.differs?.join("; ") ?? `${this.expected}, not ${this.actual}`
    return `bucket ${this.bucket} is declared otherwise by the nodes: ${differing}`
  }
}

export class UnknownOperation extends requestError<UnknownOperation>()("UnknownOperation", {
  bucket: Schema.String,
  operation: Schema.String,
  known: Schema.Array(Schema.String),
  /** Its place in an edit, from 0; left out of a request with one operation. */
  index: Schema.optionalKey(Schema.Int)
}) {
  override get message(): string {
    const known = this.known.length === 0 ? "" : `; it has ${this.known.join(", ")}`
    const place = this.index === undefined ? "" : `, as ${this.index} of an edit`
    return `bucket ${this.bucket} has no operation ${this.operation}${place}${known}`
  }
}

/** A value or argument that the bucket does not take. */
export class InvalidValue extends requestError<InvalidValue>()("InvalidValue", {
  bucket: Schema.String,
  /** JSON path of the fault, such as `$.lines[2].quantity`. */
  path: Schema.String,
  problem: Schema.String,
  /** The operation whose arguments the path begins in; left out where there are none. */
  operation: Schema.optionalKey(Schema.String),
  /** Its place in an edit, from 0; left out of a request with one operation. */
  index: Schema.optionalKey(Schema.Int)
}) {
  override get message(): string {
    const place = this.index === undefined ? "" : `, operation ${this.index} of an edit`
    const operation = this.operation === undefined ? "" : `, ${this.operation}`
    return `bucket ${this.bucket}${place}${operation}, at ${this.path}: ${this.problem}`
  }
}

export class InvalidKey extends requestError<InvalidKey>()("InvalidKey", {
  bucket: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `bucket ${this.bucket}: ${this.problem}`
  }
}

/** A setting or a request that no node can meet: its name, its value, the accepted values. */
export class InvalidRequest extends requestError<InvalidRequest>()("InvalidRequest", {
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
export class BadContext extends requestError<BadContext>()("BadContext", {
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
export class ContextRequired extends requestError<ContextRequired>()("ContextRequired", {
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
export class StaleMark extends requestError<StaleMark>()("StaleMark", {
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
export class OperationUnknown extends requestError<OperationUnknown>()("OperationUnknown", {
  /** The nodes that could not tell, each with its reason. */
  nodes: Schema.Array(Schema.Struct({ node: Schema.String, reason: Schema.String })),
  mayHaveApplied: Schema.Literal(true)
}) {
  override get message(): string {
    const reasons = this.nodes.map(({ node, reason }) => `${node}: ${reason}`).join("; ")
    return `the operation may have applied already, and this cannot be told: ${reasons}`
  }
}

/**
 * A removal whose context is so old that the sum which it had seen of a counter is not kept any
 * more. Nothing was changed. Read again, or remove without a context.
 */
export class ContextTooOld extends requestError<ContextTooOld>()("ContextTooOld", {
  bucket: Schema.String
}) {
  override get message(): string {
    return `a counter of ${this.bucket} was changed too often since the context was read: read `
      + "again, or remove without a context"
  }
}

/** The node cannot take writes now (disk full or failing, too much waiting). Reads go on. */
export class NodeUnwritable extends requestError<NodeUnwritable>()("NodeUnwritable", {
  node: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `node ${this.node} takes no writes: ${this.reason}`
  }
}

/** The node stops, or has too many requests under way. May be retried elsewhere. */
export class NodeUnavailable extends requestError<NodeUnavailable>()("NodeUnavailable", {
  node: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `node ${this.node} is not available: ${this.reason}`
  }
}

/** A stored value that the bucket's schema does not read. It is kept as it is. */
export class Undecodable extends requestError<Undecodable>()("Undecodable", {
  bucket: Schema.String,
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `a stored value of bucket ${this.bucket} is invalid: ${this.path}: ${this.problem}`
  }
}

/** No node answered the client in time. */
export class NoAnswer extends requestError<NoAnswer>()("NoAnswer", {
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
