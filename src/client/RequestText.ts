/**
 * Holds one message of a request as it leaves. It stays as it is, whatever becomes of its request
 * before the turn ends.
 */
import type { BackendRequest } from "./Backend.ts"

export class RequestText {
  readonly request: BackendRequest
  readonly text: string
  /** Bytes of `text` in UTF-8. */
  readonly bytes: number
  /** The number of the broker's message that it last travelled in; 0 before. */
  message = 0
  /** The subject of that message; empty before, and once the broker has refused it. */
  subject = ""

  constructor(request: BackendRequest, text: string) {
    this.request = request
    this.text = text
    this.bytes = Buffer.byteLength(text)
  }
}
