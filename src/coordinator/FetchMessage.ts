/**
 * Makes the message that asks a replica for its document.
 */
import type { FetchAfter, PeerMessage } from "../../schemas/PeerMessage.ts"
import type { VersionVector } from "../core/clock/VersionVector.ts"

/** Asks for a document; with the session's history where there is one. */
export const fetchMessage = (
  fetch: Omit<FetchAfter, "_tag" | "after">,
  after: VersionVector
): PeerMessage =>
  after.size === 0 ? { _tag: "Fetch", ...fetch } : { _tag: "FetchAfter", ...fetch, after }
