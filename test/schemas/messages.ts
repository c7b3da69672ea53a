/**
 * Generates the messages between nodes, for tests of their bytes and their transport.
 */
import * as fc from "fast-check"
import { encode as encodeEdits } from "../../src/core/crdt/DeltaCodec.ts"
import { completenesses } from "../../src/core/model/Completeness.ts"
import { encodeFields } from "../../src/core/model/DocumentKey.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { antiEntropy } from "./antiEntropyMessages.ts"
import { goldenEdits } from "../core/crdt/goldenEdits.ts"

const count = fc.oneof(fc.nat(300), fc.maxSafeNat())
const text = fc.string({ unit: "binary", maxLength: 30 }).filter((s) => s.isWellFormed())
const bytes = fc.uint8Array({ maxLength: 100 })
const digest = fc.oneof(fc.constant(""), fc.stringMatching(/^[0-9a-f]{16}$/u))
export const ringDigest = fc.stringMatching(/^[0-9a-f]{16}$/u)
const part = fc.oneof(text, fc.maxSafeInteger())
const half = fc.array(part, { maxLength: 3 }).map(encodeFields)
const key = fc.record({ partition: half, sort: half })
const name = { bucket: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/u), fingerprint: digest, key }
const place = fc.record({ partition: count, key })

const tagged = <const Tag extends PeerMessage["_tag"]>(tag: Tag) => ({
  _tag: fc.constant(tag),
  request: count
})
const outcome = fc.constantFrom("same" as const, "found", "absent", "damaged")
const completeness = fc.constantFrom(...completenesses)
const keys = fc.array(place, { maxLength: 5 })
const dot = fc.record({
  actor: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}\.[0-9a-z]{15}\.[0-9a-z]{1,11}$/u),
  counter: count
})
const session = text.filter((s) => s !== "")
const operation = fc.record({ id: fc.record({ session, sequence: count }), dot })
const mark = fc.oneof(fc.constant(""), fc.stringMatching(/^[0-9a-z]{15}\.[0-9]{1,15}$/u))
const markOrNone = fc.oneof(fc.constant(undefined), mark)
const nodeId = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/u).map((id) => NodeId.make(id))
const target = fc.record({ node: nodeId, mark: markOrNone })
const word = fc.oneof(
  fc.record({ _tag: fc.constantFrom("Fenced" as const, "Unknown", "Contended") }),
  fc.record({ _tag: fc.constant("Known" as const), document: bytes, dot }),
  fc.record({ _tag: fc.constant("KnownSince" as const), edits: bytes, dot }),
  fc.record({
    _tag: fc.constant("Forwarded" as const),
    targets: fc.array(target, { maxLength: 3 })
  })
)
const store = { ...tagged("Store"), ...name, sync: fc.boolean(), document: bytes }
const edits = fc.oneof(bytes, fc.constantFrom(...Object.values(goldenEdits).map(encodeEdits)))
const storeDelta = { ...tagged("StoreDelta"), ...name, sync: fc.boolean(), edits }

const actor = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,9}\.[0-9a-z]{15}\.[0-9a-z]{1,11}$/u)
const seen = fc.tuple(actor, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
const after = fc.array(seen, { maxLength: 5 }).map((entries) => new Map(entries))
const storeId = fc.stringMatching(/^[0-9a-z]{1,64}$/u)
const entry = fc.oneof(storeId, fc.constantFrom("-", "!"))
const stores = fc.uniqueArray(fc.tuple(nodeId, entry), { maxLength: 5, selector: ([id]) => id })
  .map((all) => all.toSorted(([a], [b]) => (a < b ? -1 : 1)))
const introduction = {
  store: storeId,
  own: fc.constantFrom("new" as const, "named", "unnamed", "amnesiac"),
  formed: fc.boolean(),
  stores
}

export const messages: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record(store),
  fc.record({ ...store, operation }),
  fc.record({ ...tagged("Stored"), durable: fc.boolean(), completeness }),
  fc.record({ ...tagged("Fetch"), ...name, digest }),
  fc.record({ ...tagged("Fetched"), outcome, document: bytes, completeness }),
  fc.record({ ...tagged("Refused"), reason: text }),
  fc.record({ ...tagged("Forward"), body: bytes }),
  fc.record({ ...tagged("Forwarded"), body: bytes }),
  fc.record({ ...tagged("List"), ...name, partition: count, limit: count }),
  fc.record({ ...tagged("Listed"), through: place, keys, completeness }),
  fc.record({ ...tagged("OtherRing"), digest: ringDigest }),
  fc.record({ ...tagged("FetchAfter"), ...name, digest, after }),
  fc.record({ ...tagged("Fence"), ...name, id: operation.map(({ id }) => id), mark: markOrNone }),
  fc.record({
    ...tagged("Fence"),
    ...name,
    id: operation.map(({ id }) => id),
    mark: markOrNone,
    since: after
  }),
  fc.record({ ...tagged("Fenced"), asked: markOrNone, mark, word }),
  fc.record({ ...tagged("Form"), ...introduction }),
  fc.record({ ...tagged("Formed"), ...introduction, told: count }),
  fc.record(storeDelta),
  fc.record({ ...storeDelta, operation }),
  fc.record({ ...tagged("NeedsBase"), context: after }),
  fc.record({ ...tagged("FetchSince"), ...name, digest, after, since: after }),
  fc.record({ ...tagged("FetchedSince"), digest: ringDigest, context: after, edits, completeness }),
  antiEntropy,
  fc.record({ ...store, hintFor: nodeId }),
  fc.record({ ...store, operation, hintFor: nodeId }),
  fc.record({ ...storeDelta, hintFor: nodeId }),
  fc.record({ ...tagged("Handoff"), ...name, document: bytes }),
  fc.record({ ...tagged("HandedOff"), refusal: text }),
  fc.record({ ...tagged("Question"), body: bytes }),
  fc.record({ ...tagged("Told"), body: bytes })
)
