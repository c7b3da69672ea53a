/**
 * Says how many bytes gossip takes, so that a node keeps within those that it may send.
 */
import { textLength, varintLength } from "../codec/EncodedLength.ts"
import type { Listing, Suspicion } from "./GossipMessage.ts"
import type { MemberFacts } from "./MemberFacts.ts"
import type { Version } from "./Version.ts"

/** Of a frame's header, its subject and the protocol of the broker, at most, for short names. */
const ofFrame = 150
/** The flag, the root, and five counts of up to three bytes. */
const ofCounts = 24
const ofEmpty = ofFrame + ofCounts
export const ofHash = 4
const ofRoot = 8

const ofVersion = ({ incarnation, number, term }: Version): number =>
  varintLength(term) + textLength(incarnation) + varintLength(number)

export const ofFacts = ({ node, protocols, store, version }: MemberFacts): number =>
  textLength(node) + ofVersion(version) + textLength(store) + 1
  + varintLength(protocols.least) + varintLength(protocols.greatest) + ofRoot

export const ofSuspicion = ({ accuser, suspect, version }: Suspicion): number =>
  textLength(suspect) + ofVersion(version) + textLength(accuser)

export const ofListing = ({ group, members }: Listing): number =>
  varintLength(group) + varintLength(members.length) + members.length * 2 * ofHash

/** A message that is filled. */
export interface Packing {
  /** Whether as many bytes more fit; then they are counted. */
  readonly takes: (bytes: number) => boolean
  readonly left: () => number
  /** All bytes up to now. */
  readonly bytes: () => number
}

/** One of at most so many bytes. */
export const packing = (room: number): Packing => {
  let bytes = ofEmpty
  return {
    takes: (more) => {
      if (bytes + more > room) return false
      bytes += more
      return true
    },
    left: () => room - bytes,
    bytes: () => bytes
  }
}
