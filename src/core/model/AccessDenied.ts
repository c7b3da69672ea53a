/**
 * The error of a request that the broker's permissions refuse. In a file of its own, since no node
 * makes it: the client does, from the broker's word.
 */
import * as Schema from "effect/Schema"
import { requestError } from "./RequestError.ts"

const verbs = {
  publish: "publish to",
  subscribe: "subscribe to",
  connect: "connect to"
} as const

/** The broker does not let this user do what a request needs. Asking again changes nothing. */
export class AccessDenied extends requestError<AccessDenied>()("AccessDenied", {
  right: Schema.Literals(["publish", "subscribe", "connect"]),
  /** The subject of the broker, or the address of the broker. */
  subject: Schema.String,
  /** Whether a node may have got the write all the same. */
  mayHaveApplied: Schema.Boolean
}) {
  override get message(): string {
    const { mayHaveApplied, right, subject } = this
    const hint = right === "subscribe" ? ": set the inbox prefix that it may use" : ""
    const maybe = mayHaveApplied ? "; the write may have applied" : ""
    return `the broker does not let this user ${verbs[right]} ${subject}${hint}${maybe}`
  }
}
