/**
 * Makes a table of handlers that all do the same, for tests of a message's receivers.
 */
import type { PeerHandlers, PeerMessage, Reply } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../../src/core/model/Names.ts"

export const handlersOf = (
  handler: (message: PeerMessage, from: NodeId, reply: Reply) => void
): PeerHandlers => ({
  Store: handler,
  Stored: handler,
  Fetch: handler,
  Fetched: handler,
  Refused: handler,
  Forward: handler,
  Forwarded: handler,
  List: handler,
  Listed: handler,
  OtherRing: handler,
  FetchAfter: handler,
  Fence: handler,
  Fenced: handler,
  Form: handler,
  Formed: handler,
  StoreDelta: handler,
  NeedsBase: handler,
  FetchSince: handler,
  FetchedSince: handler,
  AntiEntropy: handler,
  Gossip: handler,
  Ping: handler,
  PingFor: handler,
  Pong: handler,
  Handoff: handler,
  HandedOff: handler,
  Question: handler,
  Told: handler
})
