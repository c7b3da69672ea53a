/**
 * Defines the error of a request that its caller gave up. In a file of its own, since no node makes
 * it: the client does.
 */
import * as Schema from "effect/Schema"
import { requestError } from "./RequestError.ts"

/** The caller ended the request, by its `AbortSignal`, before an answer came. */
export class Cancelled extends requestError<Cancelled>()("Cancelled", {
  /** Whether a node may have got the write all the same. Never true of a read. */
  mayHaveApplied: Schema.Boolean
}) {
  override get message(): string {
    const maybe = this.mayHaveApplied ? "; the write may have applied" : ""
    return `the request was cancelled${maybe}`
  }
}
