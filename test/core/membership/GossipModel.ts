/**
 * Runs the gossip of many nodes on steps of time, without a network: messages arrive with the next
 * step, unless the test loses them.
 */
import * as Gossip from "../../../src/core/membership/Gossip.ts"
import * as Knowledge from "../../../src/core/membership/GossipKnowledge.ts"
import type { GossipMessage } from "../../../src/core/membership/GossipMessage.ts"
import { writeGossip } from "../../../src/core/membership/GossipMessage.ts"
import type {
  GossipEvent,
  GossipLimits,
  GossipState
} from "../../../src/core/membership/GossipState.ts"
import type { MemberFacts } from "../../../src/core/membership/MemberFacts.ts"
import { ByteWriter } from "../../../src/core/codec/Bytes.ts"
import { lan } from "../../../src/core/model/Limits.ts"
import { NodeId } from "../../../src/core/model/Names.ts"

export const factsOf = (
  node: NodeId,
  version: { readonly term?: number; readonly incarnation?: string; readonly number?: number } = {}
): MemberFacts => ({
  node,
  version: { term: 0, incarnation: "m0000000000000a", number: 0, ...version },
  store: "0123456789abcdefghijklmnop",
  status: "serving",
  protocols: { least: 4, greatest: 4 },
  buckets: "0123456789abcdef"
})

interface Sent {
  readonly from: NodeId
  readonly to: NodeId
  readonly message: GossipMessage
}

/** Bytes of a frame's header, its subject and the broker's protocol. */
export const frameBytes = 150

export class GossipModel {
  readonly nodes: ReadonlyArray<NodeId>
  readonly states = new Map<NodeId, GossipState>()
  /** Of each node since the start. */
  readonly bytes = new Map<NodeId, number>()
  messages = 0
  at = 0
  loses: (sent: Sent) => boolean = () => false
  readonly #random: () => number
  readonly #limits: GossipLimits
  #wire: Array<Sent> = []

  /** Each node knows of itself alone, or of all. */
  constructor(
    size: number,
    options: {
      readonly random: () => number
      readonly isSettled: boolean
      readonly limits?: Partial<GossipLimits>
    }
  ) {
    this.#random = options.random
    this.#limits = { ...lan.node, ...options.limits }
    this.nodes = Array.from({ length: size }, (_, index) => NodeId.make(`node-${index}`))
    const all = Knowledge.join(Knowledge.nothing, this.nodes.map((node) => factsOf(node))).known
    for (const node of this.nodes) {
      const others = new Set(this.nodes.filter((other) => other !== node))
      const state = Gossip.make({ own: factsOf(node), others, at: 0 })
      this.states.set(node, options.isSettled ? { ...state, known: all, news: new Map() } : state)
    }
  }

  /** A node goes on under a greater version. */
  change(node: NodeId, facts: MemberFacts): void {
    this.#take(node, { _tag: "Changed", own: facts })
  }

  /**
   * Lets a time pass in steps of a round trip's half: in each, messages arrive, and nodes with news
   * tell it; each node has a round once a second.
   */
  pass(millis: number, done: () => boolean = () => false): void {
    const end = this.at + millis
    while (this.at < end && !done()) {
      this.at += stepMillis
      const arriving = this.#wire
      this.#wire = []
      for (const { from, message, to } of arriving) {
        this.#take(to, { _tag: "Received", from, message, ...this.#moment() })
      }
      this.nodes.forEach((node, index) => {
        const due = index * 7 % 1_000 - index * 7 % 1_000 % stepMillis
        if (this.at % 1_000 === due) this.#take(node, { _tag: "Round", ...this.#moment() })
        else if (Gossip.isUrgent(this.states.get(node)!, this.#limits)) {
          this.#take(node, { _tag: "Tell", ...this.#moment() })
        }
      })
    }
  }

  /** The nodes that know all that another node knows. */
  knowing(root: string): number {
    return this.nodes.filter((node) => this.rootOf(node) === root).length
  }

  rootOf(node: NodeId): string {
    return Knowledge.rootOf(this.states.get(node)!.known)
  }

  get areEqual(): boolean {
    return this.knowing(this.rootOf(this.nodes[0]!)) === this.nodes.length
  }

  #moment() {
    return { at: this.at, random: this.#random() }
  }

  #take(node: NodeId, event: GossipEvent): void {
    const { sends, state } = Gossip.step(this.states.get(node)!, event, this.#limits)
    this.states.set(node, state)
    for (const { message, to } of sends) {
      this.messages++
      const writer = new ByteWriter()
      writeGossip(writer, message)
      this.bytes.set(node, (this.bytes.get(node) ?? 0) + writer.length + frameBytes)
      const sent = { from: node, to, message }
      if (!this.loses(sent)) this.#wire.push(sent)
    }
  }
}

/** As `gossipAtOnceMillis`: a node tells news no more often. */
export const stepMillis = 50
