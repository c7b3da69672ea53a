/**
 * Defines the error of a request that is refused because there is too much to do.
 */
import * as Schema from "effect/Schema"
import { requestError } from "./RequestError.ts"

/**
 * Nothing was done, since more is asked for than can be answered in time. May be retried, after a
 * pause.
 */
export class Overloaded extends requestError<Overloaded>()("Overloaded", {
  /** The node that refused; left out where the client did so, and asked no node. */
  node: Schema.optionalKey(Schema.String),
  /** The pause after which another attempt is more likely to be taken. */
  retryAfterMillis: Schema.Int
}) {
  override get message(): string {
    const by = this.node === undefined ? "this client" : `node ${this.node}`
    const pause = `try again in ${this.retryAfterMillis} ms`
    return `${by} has more to do than it can answer in time: ${pause}`
  }
}
