/**
 * Runs the failure detectors of some nodes on virtual time: messages take a moment, unless the test
 * loses them, and suspicions reach all whom the accuser reaches.
 */
import * as Detector from "../../../src/core/membership/Detector.ts"
import * as State from "../../../src/core/membership/DetectorState.ts"
import { lan } from "../../../src/core/model/Limits.ts"
import { NodeId } from "../../../src/core/model/Names.ts"

interface Event {
  readonly at: number
  readonly node: NodeId
  readonly event: (at: number) => State.DetectorEvent
}

/** Of one way. */
const wayMillis = 2

export class DetectorModel {
  readonly nodes: ReadonlyArray<NodeId>
  readonly states = new Map<NodeId, State.DetectorState>()
  /** Whether nothing passes from one to another. */
  cuts: (from: NodeId, to: NodeId) => boolean = () => false
  /** Nodes that stand still: what comes for them waits. */
  readonly stopped = new Set<NodeId>()
  at = 0
  readonly #random: () => number
  readonly #limits: State.DetectorLimits
  #queue: Array<Event> = []

  constructor(
    size: number,
    random: () => number,
    limits: Partial<State.DetectorLimits> = {}
  ) {
    this.#random = random
    this.#limits = { ...lan.node, ...limits }
    this.nodes = Array.from({ length: size }, (_, index) => NodeId.make(`n${index + 1}`))
    for (const self of this.nodes) {
      const others = new Set(this.nodes.filter((other) => other !== self))
      const own = { term: 0, incarnation: "m0000000000000a", number: 0 }
      this.states.set(self, Detector.make({ self, own, others, at: 0 }))
    }
  }

  belief(node: NodeId, of: NodeId): State.Belief {
    return State.belief(this.states.get(node)!, of)
  }

  pass(millis: number): void {
    const end = this.at + millis
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.at = Math.max(this.at, next.at)
      this.#take(next)
    }
    this.at = end
  }

  /** The first event of a node that does not stand still. */
  #next(): Event | undefined {
    const due = [...this.states].map(([node, state]): Event => ({
      at: State.nextAt(state, this.#limits),
      node,
      event: (at) => ({ _tag: "Time", at, heard: new Map(), random: this.#random() })
    }))
    return [...due, ...this.#queue].filter(({ node }) => !this.stopped.has(node))
      .reduce<Event | undefined>(
        (first, one) => first === undefined || one.at < first.at ? one : first,
        undefined
      )
  }

  #take(event: Event): void {
    this.#queue = this.#queue.filter((other) => other !== event)
    const { node } = event
    const before = this.states.get(node)!
    const step = Detector.step(before, event.event(this.at), this.#limits)
    this.states.set(node, step.state)
    for (const { message, to } of step.sends) {
      this.#send(node, to, (at) => ({ _tag: "Received", from: node, message, at }))
    }
    for (const other of this.nodes) {
      if (other === node) continue
      for (const suspicion of step.suspicions) {
        this.#send(node, other, (at) => ({ _tag: "Told", suspicion, at }))
      }
      const { own: version } = step.state
      if (version === before.own) continue
      this.#send(node, other, (at) => ({ _tag: "Learned", node, version, at }))
    }
  }

  #send(from: NodeId, to: NodeId, event: Event["event"]): void {
    if (!this.cuts(from, to)) this.#queue.push({ at: this.at + wayMillis, node: to, event })
  }
}
