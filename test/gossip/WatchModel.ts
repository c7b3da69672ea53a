/**
 * Runs gossip, the failure detector and greetings of many nodes on virtual time, without anything
 * else of a node, and counts the bytes that each sends. Each message counts with a frame of its
 * own.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import type { Belief } from "../../src/core/membership/DetectorState.ts"
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

interface Member {
  readonly id: NodeId
  readonly owner: Owner
  readonly watch: MemberWatch
  readonly sentTo: Set<NodeId>
  /** In each second since the start. */
  readonly bytes: Array<number>
  /** Of its store: what it tells of itself. */
  readonly tale: { store: string }
}

export class WatchModel {
  readonly members: ReadonlyArray<Member>
  /** By all nodes. */
  suspicionsSent = 0
  readonly #kernel: Kernel
  readonly #byId: ReadonlyMap<NodeId, Member>
  readonly #outside = outside()

  constructor(size: number, seed: number) {
    this.#kernel = new Kernel(stream(seed, "kernel"))
    const ids = Array.from({ length: size }, (_, index) => ({ id: NodeId.make(`n${index + 1}`) }))
    this.members = ids.map(({ id }) => this.#member(id, ids, seed))
    this.#byId = new Map(this.members.map((member) => [member.id, member]))
    for (const { watch } of this.members) watch.start()
  }

  get now(): number {
    return this.#kernel.now
  }

  pass(millis: number, done?: () => boolean): void {
    this.#kernel.run(this.now + millis, done, Infinity)
  }

  /** Its facts change, as when a node is asked to stop. */
  change(member: Member): void {
    member.tale.store += "x"
  }

  kill({ owner }: Member): void {
    owner.alive = false
  }

  /** The living others that believe it of a node. */
  believing(of: Member, belief: Belief): number {
    return this.members.filter((member) =>
      member !== of && member.owner.alive && member.watch.belief(of.id) === belief
    ).length
  }

  /** The nodes that know the present facts of one, itself among them. */
  knowing({ id, tale }: Member): number {
    return this.members.filter(({ watch }) => watch.factsOf(id)?.store === tale.store).length
  }

  #member(id: NodeId, members: ReadonlyArray<{ readonly id: NodeId }>, seed: number): Member {
    const owner: Owner = { name: id, alive: true, paused: false }
    const runtime = SimRuntime.make({
      kernel: this.#kernel,
      owner,
      clock: SimRuntime.rightClock(),
      random: stream(seed, id),
      mark: () => undefined
    })
    const sentTo = new Set<NodeId>()
    const tale = { store: "0123456789abcdef0123456789" }
    const member: Member = {
      id,
      owner,
      sentTo,
      bytes: [],
      tale,
      watch: new MemberWatch({
        runtime,
        self: id,
        members: () => members,
        incarnation: () => "m0000000000000a",
        tale: () => ({
          ...tale,
          status: "serving",
          protocols: { least: 4, greatest: 4 },
          buckets: "0123456789abcdef"
        }),
        send: (to, message) => this.#send(member, to, message),
        believe: () => undefined,
        limits: lan.node
      })
    }
    greetMembers({
      runtime,
      self: id,
      members: () => members,
      greet: (to) => {
        if (sentTo.delete(to)) return false
        this.#send(member, to, undefined)
        return true
      },
      limits: lan.node
    })
    return member
  }

  #send(from: Member, to: NodeId, message: PeerMessage | undefined): void {
    const writer = new ByteWriter()
    if (message !== undefined) {
      writeMessage(writer, message, ringDigest)
      from.sentTo.add(to)
      if (message._tag === "Gossip") this.suspicionsSent += message.suspicions.length
    }
    const second = Math.floor(this.now / 1_000)
    from.bytes[second] = (from.bytes[second] ?? 0) + writer.length + frameBytes
    this.#kernel.at(this.#outside, this.now + wayMillis, () => {
      const receiver = this.#byId.get(to)!
      this.#kernel.soon(receiver.owner, () => this.#take(receiver, from.id, message))
    })
  }

  #take({ watch }: Member, from: NodeId, message: PeerMessage | undefined): void {
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
}
