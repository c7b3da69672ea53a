/**
 * Runs gossip, the failure detector and greetings of many nodes on virtual time, without anything
 * else of a node, and counts the bytes that each sends. Each message counts with a frame of its
 * own.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import type { Belief } from "../../src/core/membership/DetectorState.ts"
import { join, nothing, rootOf } from "../../src/core/membership/GossipKnowledge.ts"
import type { MemberTale } from "../../src/core/membership/MemberFacts.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { greetMembers } from "../../src/gossip/Greetings.ts"
import { MemberWatch } from "../../src/gossip/MemberWatch.ts"
import { Kernel, outside, type Owner } from "../../src/testing/simulator/Kernel.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import * as SimRuntime from "../../src/testing/simulator/SimRuntime.ts"
import { writeMessage } from "../../src/transport/PeerMessageCodec.ts"

/** Of a frame's header, its subject and the protocol of the broker, at most, for short names. */
const frameBytes = 150
/** Of one way. */
const wayMillis = 1
const reply = () => undefined
const ringDigest = "0123456789abcdef"
const incarnation = "m0000000000000a"
/** Of a start: in as much time as lies between two pings. */
const startMillis = 500
/** More often than this a node tells nothing to the others, which are at most thousands. */
const newsTellingsMax = 20
const tale: MemberTale = {
  store: "0123456789abcdef0123456789",
  status: "serving",
  protocols: { least: 4, greatest: 4 },
  buckets: "0123456789abcdef"
}

interface Member {
  readonly id: NodeId
  readonly owner: Owner
  readonly startsAt: number
  /** What comes before waits until then. */
  readonly readsFrom: number
  /** Undefined until it starts. */
  watch: MemberWatch | undefined
  readonly sentTo: Set<NodeId>
  /** In each second since the start. */
  readonly bytes: Array<number>
  /** Of these, those of its gossip. */
  readonly gossip: Array<number>
  /** What it tells of itself. */
  tale: MemberTale
}

/** Of all nodes since the start. */
interface GossipSent {
  messages: number
  bytes: number
  suspicions: number
}

export class WatchModel {
  readonly members: ReadonlyArray<Member>
  readonly gossiped: GossipSent = { messages: 0, bytes: 0, suspicions: 0 }
  readonly #kernel: Kernel
  readonly #byId: ReadonlyMap<NodeId, Member>
  readonly #outside = outside()

  /**
   * All start within half a second. Each knows of itself alone, and hears nothing before it starts;
   * or each knows of all, and hears then of what came before.
   */
  constructor(size: number, seed: number, { isSettled = false } = {}) {
    this.#kernel = new Kernel(stream(seed, "kernel"))
    const starts = stream(seed, "starts")
    this.members = Array.from({ length: size }, (_, index) => {
      const id = NodeId.make(`n${index + 1}`)
      const owner: Owner = { name: id, alive: true, paused: false }
      const startsAt = starts.integer(0, startMillis - 1)
      const readsFrom = isSettled ? startsAt + 1 : 0
      return {
        id,
        owner,
        startsAt,
        readsFrom,
        sentTo: new Set(),
        bytes: [],
        gossip: [],
        tale,
        watch: undefined
      }
    })
    this.#byId = new Map(this.members.map((member) => [member.id, member]))
    for (const member of this.members) {
      this.#kernel.at(member.owner, member.startsAt, () => {
        const watch = this.#start(member, seed)
        if (isSettled) this.#settle(member.id, watch)
      })
    }
  }

  get now(): number {
    return this.#kernel.now
  }

  pass(millis: number): void {
    this.#kernel.run(this.now + millis, undefined, Infinity)
  }

  /** Its facts change, as when it has another bucket. */
  change(member: Member): void {
    member.tale = { ...member.tale, buckets: "fedcba9876543210" }
  }

  kill({ owner }: Member): void {
    owner.alive = false
  }

  /** The living others that believe it of a node. */
  believing(of: Member, belief: Belief): number {
    return this.members.filter((member) =>
      member !== of && member.owner.alive && member.watch?.belief(of.id) === belief
    ).length
  }

  /** The nodes that know the present facts of one, itself among them. */
  knowing({ id, tale: { buckets } }: Member): number {
    return this.members.filter(({ watch }) => watch?.factsOf(id)?.buckets === buckets).length
  }

  #start(member: Member, seed: number): MemberWatch {
    const { id, owner, sentTo } = member
    const runtime = SimRuntime.make({
      kernel: this.#kernel,
      owner,
      clock: SimRuntime.rightClock(),
      random: stream(seed, id),
      mark: () => undefined
    })
    const watch = new MemberWatch({
      runtime,
      self: id,
      members: () => this.members,
      incarnation: () => incarnation,
      tale: () => member.tale,
      send: (to, message) => this.#send(member, to, message),
      believe: () => undefined,
      limits: lan.node
    })
    member.watch = watch
    watch.start()
    greetMembers({
      runtime,
      self: id,
      members: () => this.members,
      greet: (to) => {
        if (sentTo.delete(to)) return false
        this.#send(member, to, undefined)
        return true
      },
      limits: lan.node
    })
    return watch
  }

  /** The node is told of all others, and then that others know all that it knows. */
  #settle(self: NodeId, { handlers }: MemberWatch): void {
    const version = { term: 0, incarnation, number: 0 }
    const facts = this.members.map(({ id, tale }) => ({ ...tale, node: id, version }))
    const root = rootOf(join(nothing, facts).known)
    const known = { asks: false, root, groupCount: 0, suspicions: [], groups: [], listings: [] }
    const from = this.members.find(({ id }) => id !== self)!.id
    const message = { _tag: "Gossip", request: 0, ...known } as const
    handlers.Gossip({ ...message, facts }, from, reply)
    for (let i = 0; i < newsTellingsMax; i++) {
      handlers.Gossip({ ...message, facts: [] }, from, reply)
    }
  }

  #send(from: Member, to: NodeId, message: PeerMessage | undefined): void {
    const writer = new ByteWriter()
    if (message !== undefined) {
      writeMessage(writer, message, ringDigest)
      from.sentTo.add(to)
    }
    const bytes = writer.length + frameBytes
    const second = Math.floor(this.now / 1_000)
    if (message?._tag === "Gossip") {
      from.gossip[second] = (from.gossip[second] ?? 0) + bytes
      this.gossiped.messages++
      this.gossiped.bytes += bytes
      this.gossiped.suspicions += message.suspicions.length
    }
    from.bytes[second] = (from.bytes[second] ?? 0) + bytes
    const receiver = this.#byId.get(to)!
    this.#kernel.at(this.#outside, Math.max(this.now + wayMillis, receiver.readsFrom), () => {
      const { owner, watch } = receiver
      if (watch !== undefined) this.#kernel.soon(owner, () => take(watch, from.id, message))
    })
  }
}

const take = (watch: MemberWatch, from: NodeId, message: PeerMessage | undefined): void => {
  watch.heard(from)
  const { handlers } = watch
  switch (message?._tag) {
    case "Gossip":
      return handlers.Gossip(message, from, reply)
    case "Ping":
      return handlers.Ping(message, from, reply)
    case "PingFor":
      return handlers.PingFor(message, from, reply)
    case "Pong":
      return handlers.Pong(message, from, reply)
  }
}
