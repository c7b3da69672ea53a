/**
 * Describes the messages between nodes. Their form in bytes is the business of the room that
 * carries it.
 *
 * Requests are answered by messages of their own; nothing waits for an answer below the
 * coordinator, so that everything may be lost, repeated and reordered. Byte fields of a message
 * that was received are views of its frame, for the time of the call that hands it over.
 */
import type { AntiEntropy } from "./AntiEntropyMessage.ts"
import type { VersionVector } from "../src/core/clock/VersionVector.ts"
import type { Dot } from "../src/core/clock/Dot.ts"
import type { DetectorMessage } from "../src/core/membership/DetectorState.ts"
import type { GossipMessage } from "../src/core/membership/GossipMessage.ts"
import type { Completeness } from "../src/core/model/Completeness.ts"
import type { DocumentKey } from "../src/core/model/DocumentKey.ts"
import type { NodeId } from "../src/core/model/Names.ts"
import type { OperationId } from "../src/core/operations/OperationId.ts"

/** A document, named across buckets. */
export interface DocumentName {
  readonly bucket: string
  /** The bucket's fingerprint where the sender knows the bucket, else empty. */
  readonly fingerprint: string
  readonly key: DocumentKey
}

/** Join this document into yours, and say so; with `sync`, once it is on disk. */
export interface Store extends DocumentName {
  readonly _tag: "Store"
  readonly request: number
  readonly sync: boolean
  readonly document: Uint8Array
  /** The operation that made the document, where one did that names itself, and its last dot. */
  readonly operation?: { readonly id: OperationId; readonly dot: Dot } | undefined
  /** The node that is to have it, in whose place the receiver keeps it: with a hint, as one. */
  readonly hintFor?: NodeId | undefined
}

export interface Stored {
  readonly _tag: "Stored"
  readonly request: number
  readonly durable: boolean
  /** Of the replica, for the document. */
  readonly completeness: Completeness
}

/**
 * Join these changes of a document into yours, as with `Store`: the last of them is to be stored,
 * those before it bring what you lack for it.
 */
export interface StoreDelta extends Omit<Store, "_tag" | "document"> {
  readonly _tag: "StoreDelta"
  /** By `core/crdt/DeltaCodec`. */
  readonly edits: Uint8Array
}

/**
 * The answer to `StoreDelta` of a replica that has not all on which the changes rest: it has joined
 * nothing, and needs the changes before them, or the document.
 */
export interface NeedsBase {
  readonly _tag: "NeedsBase"
  readonly request: number
  /** All that it has of the document; empty where it has none that it can read. */
  readonly context: VersionVector
}

/** Join this document, which was kept for you, and say when it is on disk. */
export interface Handoff extends DocumentName {
  readonly _tag: "Handoff"
  readonly request: number
  readonly document: Uint8Array
}

/** The answer to `Handoff`. */
export interface HandedOff {
  readonly _tag: "HandedOff"
  readonly request: number
  /** Why it is not on disk, in words; empty where it is. */
  readonly refusal: string
}

/** Asks a node about itself for an operator: JSON of a `NodeQuestion`. */
export interface Question {
  readonly _tag: "Question"
  readonly request: number
  readonly body: Uint8Array
}

/** The answer to `Question`: JSON, too. */
export interface Told {
  readonly _tag: "Told"
  readonly request: number
  readonly body: Uint8Array
}

/** Asks for the replica's document. If its digest is this one, the answer says only that. */
export interface Fetch extends DocumentName {
  readonly _tag: "Fetch"
  readonly request: number
  /** Empty where the sender holds nothing. */
  readonly digest: string
}

/**
 * The same for a reader whose session has seen this history: the replica answers when a part of it
 * that is on its way to the disk is there, or has failed to get there.
 */
export interface FetchAfter extends Omit<Fetch, "_tag"> {
  readonly _tag: "FetchAfter"
  readonly after: VersionVector
}

export interface Fetched {
  readonly _tag: "Fetched"
  readonly request: number
  readonly outcome: "same" | "found" | "absent" | "damaged"
  /** Empty unless found. */
  readonly document: Uint8Array
  /** Of the replica, for the document. */
  readonly completeness: Completeness
}

/** The same for a reader that holds a large document: changes of it are an answer, too. */
export interface FetchSince extends Omit<FetchAfter, "_tag"> {
  readonly _tag: "FetchSince"
  /** The history of the document that the sender holds. */
  readonly since: VersionVector
}

/** Answers `FetchSince` with what its sender lacks of the replica's document. */
export interface FetchedSince {
  readonly _tag: "FetchedSince"
  readonly request: number
  /** Of the replica's document. */
  readonly digest: string
  readonly context: VersionVector
  /** Changes that bring the sender's document as far; empty where it lacks none. */
  readonly edits: Uint8Array
  /** Of the replica, for the document. */
  readonly completeness: Completeness
}

/** A request that this node will not carry out, and why, in words. */
export interface Refused {
  readonly _tag: "Refused"
  readonly request: number
  readonly reason: string
}

/** This node has another ring, so it does not carry out the request; names its own ring. */
export interface OtherRing {
  readonly _tag: "OtherRing"
  readonly request: number
  readonly digest: string
}

/** A client's request, forwarded to a primary of the document. */
export interface Forward {
  readonly _tag: "Forward"
  readonly request: number
  readonly body: Uint8Array
}

export interface Forwarded {
  readonly _tag: "Forwarded"
  readonly request: number
  readonly body: Uint8Array
}

/** A key in the order of partition, then key; empty halves stand before all keys. */
export interface KeyCursor {
  readonly partition: number
  readonly key: DocumentKey
}

/** Asks for the keys of a bucket after this one. The replica looks at no more than `limit`. */
export interface List extends DocumentName, KeyCursor {
  readonly _tag: "List"
  readonly request: number
  readonly limit: number
}

/** All keys up to and with `through`, in order. */
export interface Listed {
  readonly _tag: "Listed"
  readonly request: number
  readonly through: KeyCursor
  readonly keys: ReadonlyArray<KeyCursor>
  /** Of the replica, and of each document that it looked at. */
  readonly completeness: Completeness
}

/**
 * Asks a node whether it has done an operation, and not to do it from now on under an older mark.
 */
export interface Fence extends DocumentName {
  readonly _tag: "Fence"
  readonly request: number
  readonly id: OperationId
  /** The mark that the node was asked to do it under; undefined where none was named. */
  readonly mark: string | undefined
  /** The history of a large document that the sender holds; changes of it are an answer, too. */
  readonly since?: VersionVector | undefined
}

/** The answer to `Fence`, by its mark, with the node's own mark now. */
export interface Fenced {
  readonly _tag: "Fenced"
  readonly request: number
  readonly asked: string | undefined
  readonly mark: string
  readonly word:
    | { readonly _tag: "Fenced" | "Unknown" | "Contended" }
    /** It was done: the state that shows it, and the last dot that it made. */
    | { readonly _tag: "Known"; readonly document: Uint8Array; readonly dot: Dot }
    /** The same, with the changes that the asker lacks of that state; empty if it lacks none. */
    | { readonly _tag: "KnownSince"; readonly edits: Uint8Array; readonly dot: Dot }
    | {
      readonly _tag: "Forwarded"
      readonly targets: ReadonlyArray<{ readonly node: NodeId; readonly mark: string | undefined }>
    }
}

/** The standing of a node's store in its cluster. */
export interface Introduction {
  /** The store's id. */
  readonly store: string
  readonly own: "new" | "named" | "unnamed" | "amnesiac"
  /** The sender's certificate of formation: whether it has formed, and stores by member. */
  readonly formed: boolean
  readonly stores: ReadonlyArray<readonly [node: NodeId, entry: string]>
}

/** A node that has started asks what the others know of its store; `request` names the start. */
export interface Form extends Introduction {
  readonly _tag: "Form"
  readonly request: number
}

export interface Formed extends Introduction {
  readonly _tag: "Formed"
  readonly request: number
  /** The greatest number of changes that the asker said are durable in its store. */
  readonly told: number
}

/** What the sender knows of the members, as far as the receiver may not know it. */
export interface Gossip extends GossipMessage {
  readonly _tag: "Gossip"
  /** Always 0: gossip is answered by gossip or not at all. */
  readonly request: number
}

/** Asks whether a node is up; `request` numbers the pings of the asker. */
export type Ping = Extract<DetectorMessage, { readonly _tag: "Ping" }>

/** Asks to ping another node, which does not answer. */
export type PingFor = Extract<DetectorMessage, { readonly _tag: "PingFor" }>

/** Answers both. */
export type Pong = Extract<DetectorMessage, { readonly _tag: "Pong" }>

export type PeerMessage =
  | Store
  | Stored
  | Fetch
  | Fetched
  | Refused
  | Forward
  | Forwarded
  | List
  | Listed
  | OtherRing
  | FetchAfter
  | Fence
  | Fenced
  | Form
  | Formed
  | StoreDelta
  | NeedsBase
  | FetchSince
  | FetchedSince
  | AntiEntropy
  | Gossip
  | Ping
  | PingFor
  | Pong
  | Handoff
  | HandedOff
  | Question
  | Told

export type PeerTag = PeerMessage["_tag"]

/** The tags by which nodes form a cluster and learn of each other. */
export type MemberTag = "Form" | "Formed" | "Gossip" | "Ping" | "PingFor" | "Pong"

/** Messages by their tags. */
export type PeerMessages = { readonly [M in PeerMessage as M["_tag"]]: M }

/** Sends an answer to the node that a message came from. */
export type Reply = (message: PeerMessage) => void

/** The handler of each kind of message; a room exports its own handlers. */
export type PeerHandlers<Tag extends PeerTag = PeerTag> = {
  readonly [T in Tag]: (message: PeerMessages[T], from: NodeId, reply: Reply) => void
}
