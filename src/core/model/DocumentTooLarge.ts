/**
 * Defines the error of a write that would make its document larger than clients' writes may.
 */
import * as Schema from "effect/Schema"
import { requestError } from "./RequestError.ts"

const growthAdvice = {
  siblings: "read it, and write with the context of that read, which replaces what it returned",
  elements: "remove some, or spread them over several documents",
  actors: "go on in another document",
  bytes: "remove some of it, or spread it over several documents"
}

/**
 * A write that would make its document larger than any may become by clients' writes. Nothing was
 * changed; a write that takes something away is carried out.
 */
export class DocumentTooLarge extends requestError<DocumentTooLarge>()("DocumentTooLarge", {
  bucket: Schema.String,
  limit: Schema.Literals(["siblings", "elements", "actors", "bytes"]),
  /** What the document would have, and what it may have. */
  had: Schema.Int,
  allowed: Schema.Int
}) {
  override get message(): string {
    const { allowed, bucket, had, limit } = this
    return `with this write the document of ${bucket} would have ${had} ${limit}, and ${allowed} `
      + `are allowed: ${growthAdvice[limit]}`
  }
}
