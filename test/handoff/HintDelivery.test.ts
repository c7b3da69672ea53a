// Checks in which order hints are delivered, and that none goes before its target has the document.
import { beforeEach, describe, expect, it } from "vitest"
import type { Handoff, PeerMessage } from "../../schemas/PeerMessage.ts"
import { empty } from "../../src/core/crdt/Document.ts"
import * as Incarnation from "../../src/core/model/Incarnation.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import type { RowKey } from "../../src/core/model/RowKey.ts"
import { HintDelivery } from "../../src/handoff/HintDelivery.ts"
import type { Commits } from "../../src/replica/Commits.ts"
import * as HintRow from "../../src/replica/HintRow.ts"
import { type Hint, Hints } from "../../src/replica/Hints.ts"
import type { LocalRead } from "../../src/replica/LocalDocument.ts"
import { noWrites } from "../../src/replica/Refusal.ts"
import { type OnCommit, ScanFailed } from "../../src/storage/Storage.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const target = NodeId.make("n2")
const window = lan.node.handoffsInFlightMax
const incarnation = Incarnation.next({ previous: undefined, now: 0, id: "abcdefgh" })
const found: LocalRead = { _tag: "Found", document: empty, digest: "d", own: "" }
const unread: LocalRead = { _tag: "Damaged", detail: "disk I/O error", isUnread: true }
const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

let runtime: SteppedRuntime
let hints: Hints
let delivery: HintDelivery
/** Of each document; found unless it is told otherwise. */
let reads: Map<string, LocalRead>
/** The documents that were sent, in their order. */
let sent: Array<string>
let dropped: Array<string>
/** With which they were sent. */
let fingerprints: Set<string>
/** How often the rows of hints were asked for, and how many of these fail. */
let scans: number
let failedScans: number
/** Of the bucket, as the node has it. */
let fingerprint: string | undefined
/** The answer of the target; undefined where it does not come. */
let answer: (message: Handoff) => string | undefined

beforeEach(() => {
  reads = new Map()
  sent = []
  dropped = []
  fingerprints = new Set()
  fingerprint = undefined
  scans = 0
  failedScans = 0
  answer = () => ""
})

const remove: Commits["remove"] = (_, onCommit) => onCommit(undefined)

const endHint = (
  hint: Hint,
  { isDropped }: { readonly isDropped: boolean },
  done: OnCommit
): void => {
  if (isDropped) dropped.push(hint.key.partitionKey)
  const before = { _tag: "Absent" } as const
  hints.end(hint, { before, incarnation, isDropped, commits: { remove } }, done)
}

const read = ({ partitionKey }: RowKey): LocalRead => reads.get(partitionKey) ?? found

/** A node that keeps a document for the target under each name, the oldest first. */
const start = (kept: ReadonlyArray<string>) => {
  runtime = new SteppedRuntime()
  const rows = kept.map((name, index) => {
    const key = { partition: 3, bucket: "b", partitionKey: name, sortKey: "" }
    const bytes = HintRow.encode({ key, fingerprint: "stored", sinceMillis: 0, bytes: 10 })
    return { key: [target, index + 1], bytes }
  })
  const page: any = rows
  const scanRows = () => {
    if (++scans <= failedScans) throw new ScanFailed("disk I/O error")
    return page
  }
  hints = new Hints({ runtime, limits: lan.node, storage: { scanRows } })
  const replica: any = { hints, read, endHint }
  const liveness: any = { isUp: () => true, expects: () => {} }
  delivery = new HintDelivery({
    runtime,
    node: NodeId.make("n1"),
    replica,
    view: { isMember: () => true, preferenceList: () => [target], liveness },
    replicasOf: () => 1,
    fingerprintOf: () => fingerprint,
    send: (_, message) => send(message),
    background: { pauseMillis: () => 0 },
    limits: lan.node
  })
}

const send = (message: PeerMessage) => {
  if (message._tag !== "Handoff") return
  sent.push(message.key.partition)
  fingerprints.add(message.fingerprint)
  const refusal = answer(message)
  if (refusal === undefined) return
  const { request } = message
  const told = { _tag: "HandedOff", request, refusal } as const
  runtime.endOfTurn(() => delivery.handlers.HandedOff(told, target))
}

const keptNames = () => [...hints.of(target)].map(({ key }) => key.partitionKey)

describe("a document that cannot be read", () => {
  it("keeps its hint and its copy, and goes once it can be read", () => {
    start(["a"])
    reads.set("a", unread)
    runtime.advance(10_000)
    expect({ kept: keptNames(), dropped, sent }).toEqual({ kept: ["a"], dropped: [], sent: [] })
    expect(delivery.stats()).toMatchObject({ hintsVoid: 0, hintsDelivered: 0 })
    expect(delivery.stats().copiesUnreadable).toBeGreaterThan(1)
    reads.delete("a")
    runtime.advance(2_000)
    expect({ kept: keptNames(), dropped, sent }).toEqual({ kept: [], dropped: ["a"], sent: ["a"] })
  })

  it("stays when its target has an earlier version, since it may have changed", () => {
    start(["a"])
    answer = () => {
      reads.set("a", unread)
      return ""
    }
    runtime.advance(10_000)
    expect({ kept: keptNames(), dropped }).toEqual({ kept: ["a"], dropped: [] })
    answer = () => ""
    reads.delete("a")
    runtime.advance(2_000)
    expect({ kept: keptNames(), dropped }).toEqual({ kept: [], dropped: ["a"] })
  })

  it("is read once in a while, and no other waits for it", () => {
    const unreadable = names("a", 3 * window)
    const others = names("b", 3 * window)
    start([...unreadable, ...others])
    for (const name of unreadable) reads.set(name, unread)
    runtime.advance(5_000)
    expect(sent).toEqual(others)
    expect(keptNames()).toEqual(unreadable)
    expect(delivery.stats().copiesUnreadable).toBeLessThanOrEqual(5 * unreadable.length)
  })
})

describe("a hint whose document is gone", () => {
  it.each<LocalRead>([
    { _tag: "Absent" },
    { _tag: "Damaged", detail: "its header fails its checksum" }
  ])("ends, and counts as void: $_tag", (lost) => {
    start(["a", "b"])
    reads.set("a", lost)
    runtime.advance(2_000)
    expect({ kept: keptNames(), sent }).toEqual({ kept: [], sent: ["b"] })
    expect(delivery.stats()).toMatchObject({ hintsVoid: 1, hintsDelivered: 1 })
  })
})

describe("a document is sent with the fingerprint", () => {
  it.each([["that its node has now", "now", "now"], ["of its hint", undefined, "stored"]])(
    "%s",
    (_, own, told) => {
      fingerprint = own
      start(["a"])
      runtime.advance(2_000)
      expect([...fingerprints]).toEqual([told])
    }
  )
})

describe("a target that refuses", () => {
  it("many documents, for their own sake, gets all others at once, and those now and then", () => {
    const refused = names("a", 3 * window)
    const others = names("b", 3 * window)
    start([...refused, ...others])
    answer = ({ key }) => refused.includes(key.partition) ? "bucket b is declared otherwise" : ""
    runtime.advance(lan.node.handoffWaitMillis)
    expect(sent).toEqual([...refused, ...others])
    expect(keptNames()).toEqual(refused)
    expect(dropped).toEqual(others)
    runtime.advance(4_000)
    expect(sent.length).toBeLessThanOrEqual(5 * refused.length + others.length)
    answer = () => ""
    runtime.advance(2_000)
    expect(keptNames()).toEqual([])
  })

  it.each(["full: no space", "failing: an I/O error", "overloaded: too much", noWrites])(
    "since it cannot write is left alone for a while: %s",
    (refusal) => {
      start(names("a", 3 * window))
      answer = () => refusal
      runtime.advance(lan.node.handoffWaitMillis)
      expect(sent).toHaveLength(window)
      expect(delivery.stats().hintsRefusedByTarget).toBe(window)
      answer = () => ""
      runtime.advance(2_000)
      expect(keptNames()).toEqual([])
    }
  )
})

describe("hints that the disk cannot tell at the start", () => {
  it("are asked for again, and delivered once it can", () => {
    failedScans = 3
    start(["a", "b"])
    expect(keptNames()).toEqual([])
    runtime.advance(10_000)
    expect({ kept: keptNames(), dropped, sent }).toEqual({
      kept: [],
      dropped: ["a", "b"],
      sent: ["a", "b"]
    })
    runtime.advance(100_000)
    expect(scans).toBe(4)
  })

  it("are asked for more and more seldom, up to about once a minute", () => {
    failedScans = Infinity
    start(["a"])
    runtime.advance(60_000)
    expect(scans).toBeGreaterThan(4)
    expect(scans).toBeLessThan(10)
    const before = scans
    runtime.advance(600_000)
    expect(scans - before).toBeGreaterThan(7)
    expect(scans - before).toBeLessThan(12)
  })
})
