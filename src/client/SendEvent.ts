/**
 * Names the events by which a client decides where a request goes next.
 *
 * `Undelivered`, `Denied` and `Shed` each take one sending back, so each comes once for a sending:
 * core NATS repeats no message. All other answers may come late or twice.
 */
import type { NodeId } from "../core/model/Names.ts"

export type SendEvent =
  /** A new message goes out: the first, or the one that `next` asked for. */
  | { readonly _tag: "Sent"; readonly node: NodeId | undefined; readonly mark: string | undefined }
  /** There is no answer in time. */
  | { readonly _tag: "Late" }
  /** `next` asked for another node, none is known, and any node is not to be asked. */
  | { readonly _tag: "NoOther" }
  /** The last sending of an attempt reached nobody, as the broker says. */
  | { readonly _tag: "Undelivered"; readonly attempt: number }
  /** Nobody listens any more where an attempt went, as the broker says of a later message. */
  | { readonly _tag: "Gone"; readonly attempt: number }
  /** The broker refused the last sending of an attempt: no node has got it. */
  | { readonly _tag: "Denied"; readonly attempt: number }
  /** The last message cannot be sent at all. */
  | { readonly _tag: "Unsendable" }
  /** A node's mark has moved on. It did nothing, and gave a new mark. */
  | { readonly _tag: "StaleMark"; readonly attempt: number; readonly node: NodeId }
  /** A node did nothing, and will not. `canMove`: another node may. */
  | {
    readonly _tag: "Refused"
    readonly attempt: number
    readonly node: NodeId | undefined
    readonly canMove: boolean
  }
  /** A node has too much to do: it has passed over the last sending of an attempt. */
  | { readonly _tag: "Shed"; readonly attempt: number }
  /** The pause that `next` asked for is over, or there is to be none, and no other attempt. */
  | { readonly _tag: "Resume" | "NoPause" }
  /** A node says that the write may have applied. */
  | { readonly _tag: "InDoubt"; readonly attempt: number }
  /** The request's time is up. */
  | { readonly _tag: "Deadline" }
