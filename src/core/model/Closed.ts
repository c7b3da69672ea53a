/**
 * Defines the error of a request to a client, or of a session, that has ended.
 */
import * as Schema from "effect/Schema"
import { requestError } from "./RequestError.ts"

/**
 * The program has closed this client, or this session. Another attempt on it fails as well. A call
 * after the end was not sent, and so did nothing; one that was under way may have.
 */
export class Closed extends requestError<Closed>()("Closed", {
  closed: Schema.Literals(["client", "session"]),
  mayHaveApplied: Schema.Boolean
}) {
  override get message(): string {
    return `the ${this.closed} is closed${
      this.mayHaveApplied ? "; the write may have applied" : ""
    }`
  }
}

/** The error of a request that was not sent. */
export const clientClosed = (mayHaveApplied = false): Closed =>
  new Closed({ closed: "client", mayHaveApplied })
