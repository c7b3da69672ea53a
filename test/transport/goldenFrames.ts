/**
 * Lists frames whose bytes are kept under test/golden: every message once, whole, and in parts.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { goldenBodies } from "../schemas/antiEntropyMessages.ts"
import type { FrameBody, FrameHeader, PartHeader } from "../../src/transport/Frame.ts"

/** Of the ring that all frames and messages are for. */
export const goldenRing = "0123456789abcdef"

const header: FrameHeader = {
  cluster: "test",
  partitionCount: 256,
  senderIncarnation: "0mi8dfxmoabcdef",
  number: 0x010203040506,
  receiverIncarnation: "",
  clockMillis: 1_763_700_000_000
}

const name = {
  bucket: "carts",
  fingerprint: "fedcba9876543210",
  key: { partition: "salice", sort: "i20000000000007" }
}
const place = { partition: 300, key: { partition: "sbob", sort: "" } }

const nothing = { document: new Uint8Array(0) }
const introduction = {
  store: "0123456789abcdefghijklmnop",
  own: "new" as const,
  formed: false,
  stores: [[NodeId.make("n1"), "-"], [NodeId.make("n2"), "0123456789abcdefghijklmnop"]] as const
}

const n1 = NodeId.make("n1")
const version = { term: 1, incarnation: "0mi8dfxmoabcdef", number: 300 }

const messages: Readonly<Record<string, ReadonlyArray<PeerMessage>>> = {
  empty: [],
  store: [{ _tag: "Store", request: 1, ...name, sync: true, document: Uint8Array.of(1, 0, 0) }],
  stored: [
    { _tag: "Stored", request: 1, durable: true, completeness: "complete" },
    { _tag: "Stored", request: 300, durable: false, completeness: "incomplete" }
  ],
  fetch: [{ _tag: "Fetch", request: 2, ...name, digest: "0011223344556677" }],
  fetched: [
    { _tag: "Fetched", request: 2, outcome: "same", ...nothing, completeness: "complete" },
    {
      _tag: "Fetched",
      request: 3,
      outcome: "found",
      document: Uint8Array.of(9, 8),
      completeness: "unsure"
    },
    { _tag: "Fetched", request: 4, outcome: "absent", ...nothing, completeness: "incomplete" },
    { _tag: "Fetched", request: 5, outcome: "damaged", ...nothing, completeness: "complete" }
  ],
  refused: [{ _tag: "Refused", request: 2, reason: "volle Platte: ä" }],
  forward: [
    { _tag: "Forward", request: 6, body: Uint8Array.of(123, 125) },
    { _tag: "Forwarded", request: 6, body: Uint8Array.of(91, 93) }
  ],
  hinted: [
    {
      _tag: "Store",
      request: 10,
      ...name,
      sync: true,
      document: Uint8Array.of(1, 0, 0),
      operation: undefined,
      hintFor: n1
    },
    {
      _tag: "Store",
      request: 11,
      ...name,
      sync: false,
      document: Uint8Array.of(1),
      operation: {
        id: { session: "é", sequence: 7 },
        dot: { actor: "n1.0mi8dfxmoabcdef.1", counter: 300 }
      },
      hintFor: n1
    },
    {
      _tag: "StoreDelta",
      request: 12,
      ...name,
      sync: true,
      edits: Uint8Array.of(1, 0, 0),
      hintFor: n1
    }
  ],
  handoff: [
    { _tag: "Handoff", request: 13, ...name, document: Uint8Array.of(1, 0, 0) },
    { _tag: "HandedOff", request: 13, refusal: "" },
    { _tag: "HandedOff", request: 300, refusal: "volle Platte: ä" }
  ],
  question: [
    { _tag: "Question", request: 14, body: Uint8Array.of(123, 125) },
    { _tag: "Told", request: 14, body: Uint8Array.of(91, 93) }
  ],
  list: [{ _tag: "List", request: 7, ...name, partition: 3, limit: 100 }],
  "store-delta": [
    { _tag: "StoreDelta", request: 8, ...name, sync: true, edits: Uint8Array.of(1, 0, 0) },
    {
      _tag: "StoreDelta",
      request: 9,
      ...name,
      sync: false,
      edits: Uint8Array.of(1),
      operation: {
        id: { session: "é", sequence: 7 },
        dot: { actor: "n1.0mi8dfxmoabcdef.1", counter: 300 }
      }
    },
    { _tag: "NeedsBase", request: 8, context: new Map([["n1.0mi8dfxmoabcdef.1", 2]]) },
    { _tag: "NeedsBase", request: 9, context: new Map() }
  ],
  membership: [
    {
      _tag: "Gossip",
      request: 0,
      asks: true,
      root: "0123456789abcdef",
      groupCount: 2,
      facts: [{
        node: n1,
        version,
        store: "0123456789abcdefghijklmnop",
        status: "stopping",
        protocols: { least: 3, greatest: 4 },
        buckets: "fedcba9876543210"
      }],
      suspicions: [{ suspect: n1, version, accuser: NodeId.make("n2") }],
      groups: [1, 0xfedcba98],
      listings: [{ group: 1, members: [[0x01020304, 0xffffffff]] }, { group: 0, members: [] }]
    },
    {
      _tag: "Ping",
      request: 300,
      known: { term: 0, incarnation: "", number: 0 },
      isSuspect: false
    },
    { _tag: "PingFor", request: 7, target: n1, known: version, isSuspect: true },
    { _tag: "Pong", request: 7, node: n1, version },
    { _tag: "Pong", request: 8, node: n1, version: undefined }
  ],
  listed: [{
    _tag: "Listed",
    request: 7,
    through: place,
    keys: [place, place],
    completeness: "unsure"
  }]
}

export interface GoldenFrame {
  readonly header: FrameHeader
  /** Messages, or bytes that are a part of some. */
  readonly content: ReadonlyArray<PeerMessage> | Uint8Array
  readonly part: PartHeader | undefined
  /** A body without messages. */
  readonly own?: FrameBody
}

const own = (body: FrameBody): GoldenFrame => ({ header, content: [], part: undefined, own: body })
const identity = {
  nonce: "0123456789abcdefghijklmnop",
  startedAs: "0mi8dfxmoabcdef",
  storeId: "zyxwvutsrqponmlkjihgfedcba",
  isNamed: true
}

export const goldenFrames: Readonly<Record<string, GoldenFrame>> = {
  ...Object.fromEntries(
    Object.entries(messages).map(([name, content]) => [name, { header, content, part: undefined }])
  ),
  part: {
    header: { ...header, receiverIncarnation: "0mi8dfxmo000000" },
    content: Uint8Array.of(5, 6, 7),
    part: { transfer: 300, index: 1, count: 2 }
  },
  "other-ring": {
    header,
    content: [{ _tag: "OtherRing", request: 8, digest: "fedcba9876543210" }],
    part: undefined
  },
  "fetch-after": {
    header,
    content: [{
      _tag: "FetchAfter",
      request: 9,
      ...name,
      digest: "",
      after: new Map([["n1.0mi8dfxmoabcdef.1", 2], ["n2.0mi8dfxmoabcdef.z", 300]])
    }],
    part: undefined
  },
  "fence-since": {
    header,
    content: [{
      _tag: "Fence",
      request: 9,
      ...name,
      id: { session: "s", sequence: 300 },
      mark: undefined,
      since: new Map([["n1.0mi8dfxmoabcdef.1", 2]])
    }, {
      _tag: "Fenced",
      request: 9,
      asked: undefined,
      mark: "0mi8dfxmoabcdef.7",
      word: {
        _tag: "KnownSince",
        edits: Uint8Array.of(1, 0, 0),
        dot: { actor: "n1.0mi8dfxmoabcdef.1", counter: 300 }
      }
    }],
    part: undefined
  },
  "fetch-since": {
    header,
    content: [{
      _tag: "FetchSince",
      request: 9,
      ...name,
      digest: "0011223344556677",
      after: new Map([["n1.0mi8dfxmoabcdef.1", 2]]),
      since: new Map([["n1.0mi8dfxmoabcdef.1", 2], ["n2.0mi8dfxmoabcdef.z", 300]])
    }, {
      _tag: "FetchedSince",
      request: 9,
      digest: "0011223344556677",
      context: new Map([["n1.0mi8dfxmoabcdef.1", 4]]),
      edits: Uint8Array.of(1, 0, 0),
      completeness: "unsure"
    }],
    part: undefined
  },
  answering: {
    header: {
      ...header,
      receiverClockMillis: 1_763_700_000_007,
      heldMillis: 300
    },
    content: [],
    part: undefined
  },
  missing: own({ _tag: "Missing", transfer: 300, count: 9, missing: Uint8Array.of(0b101, 1) }),
  probe: own({ _tag: "Probe", ...identity }),
  "probe-answer": own({ _tag: "ProbeAnswer", ...identity }),
  form: {
    header: { ...header, position: { store: 0xfedcba98, changes: 300 } },
    content: [
      { _tag: "Form", request: 9, ...introduction },
      { _tag: "Formed", request: 9, ...introduction, told: 300 }
    ],
    part: undefined
  },
  "anti-entropy": {
    header,
    content: goldenBodies.map((body, i) => ({ _tag: "AntiEntropy", request: i + 1, body })),
    part: undefined
  }
}
