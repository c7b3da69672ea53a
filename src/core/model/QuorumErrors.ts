/**
 * Defines the errors of requests of which too few replicas answered: each says how much was needed
 * and had, and which node gave no answer, or refused, for which reason.
 */
import * as Schema from "effect/Schema"
import { requestError } from "./RequestError.ts"

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
export class QuorumNotMet extends requestError<QuorumNotMet>()("QuorumNotMet", {
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
  /** There where the request let no other node stand in for an owner. */
  sloppy: Schema.optionalKey(Schema.Literal(false)),
  /** Whether the write may be there, or appear later, all the same. Never true of a read. */
  mayHaveApplied: Schema.Boolean
}) {
  override get message(): string {
    const maybe = this.mayHaveApplied ? "; it may have applied" : ""
    const strict = this.sloppy === false ? "; sloppy: false lets no other node stand in" : ""
    const isMore = Object.values(this.needed).some((count) => count > 1)
    const advice = isMore ? "; with consistency available one replica is enough" : ""
    const counts = `${this.action} needed ${show(this.needed)}, had ${show(this.had)}`
    return `${counts}${unansweredText(this)}${incompleteText(this)}${strict}${maybe}${advice}`
  }
}

/**
 * Replicas answered, but have not yet seen all that this session or context has. May be retried.
 */
export class ContextNotCovered extends requestError<ContextNotCovered>()(
  "ContextNotCovered",
  {
    bucket: Schema.String,
    unreachable: Schema.Array(Schema.String),
    /** Only where there are any. */
    refused: Schema.optionalKey(Refusals)
  }
) {
  override get message(): string {
    const { refused = [], unreachable } = this
    return `the replicas of ${this.bucket} that answered have seen less than this session`
      + unansweredText({ refused, unreachable })
  }
}

/**
 * A page of keys would lack those of partitions of which too few replicas answered. Try again, ask
 * for a partial page, or mend the cluster.
 */
export class ListingIncomplete extends requestError<ListingIncomplete>()(
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
