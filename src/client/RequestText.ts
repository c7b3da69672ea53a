/**
 * Holds one message of a request as it leaves. Where its request ends before the turn does, it is
 * not sent: the caller may have been told that nothing was.
 */
import type { BackendRequest } from "./Backend.ts"

export class RequestText {
  readonly request: BackendRequest
  /** Its beginning and its end, which are not joined: the whole would be copied once more. */
  readonly open: string
  readonly rest: string
  /** Bytes of both in UTF-8. */
  readonly bytes: number
  /** The number of the broker's message that it last travelled in; 0 before. */
  message = 0
  /** The subject of that message; empty before, and once the broker has refused it. */
  subject = ""
  /** Its request has ended: it does not leave any more. */
  isOver = false

  constructor(request: BackendRequest, open: string, rest = "") {
    this.request = request
    this.open = open
    this.rest = rest
    this.bytes = Buffer.byteLength(open) + Buffer.byteLength(rest)
  }

  get text(): string {
    return this.open + this.rest
  }
}
