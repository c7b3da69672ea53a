/**
 * Reads from an error of the broker that it does not let this user do something.
 */
import {
  AuthorizationError,
  PermissionViolationError,
  UserAuthenticationExpiredError
} from "@nats-io/transport-node"
import type { Denial } from "./Transport.ts"

/** What the broker's error denies, or undefined where it is another error. */
export const denialOf = (error: Error, address: string): Denial | undefined => {
  if (error instanceof PermissionViolationError) {
    const { operation, subject } = error
    return { right: operation === "publish" ? "publish" : "subscribe", subject }
  }
  return error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError
    ? { right: "connect", subject: address }
    : undefined
}
