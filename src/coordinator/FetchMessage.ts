/**
 * Makes the message that asks a replica for its document.
 */
import type { FetchAfter, PeerMessage } from "../../schemas/PeerMessage.ts"
import type { VersionVector } from "../core/clock/VersionVector.ts"

/** Of what the reader knows already. */
interface Known {
  /** The history of its session. */
  readonly after: VersionVector
  /** That of its document, where changes of it are an answer too. */
  readonly since?: VersionVector | undefined
}

/** Asks for a document; with the histories that there are. */
export const fetchMessage = (
  { bucket, digest, fingerprint, key, request }: Omit<FetchAfter, "_tag" | "after">,
  { after, since }: Known
): PeerMessage => {
  const named = { request, bucket, fingerprint, key, digest }
  if (since !== undefined) return { _tag: "FetchSince", ...named, after, since }
  return after.size === 0 ? { _tag: "Fetch", ...named } : { _tag: "FetchAfter", ...named, after }
}
