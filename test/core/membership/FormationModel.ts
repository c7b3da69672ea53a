/**
 * Models the members of a cluster that forms, with every message that was ever sent: it may arrive
 * late, again, or never. Nodes restart, lose the end of their log, and are wiped.
 */
import * as Certificate from "../../../src/core/membership/Certificate.ts"
import * as Formation from "../../../src/core/membership/Formation.ts"
import { NodeId } from "../../../src/core/model/Names.ts"

interface Node {
  readonly id: NodeId
  /** On disk; written before anything that follows from it is said. */
  disk: { standing: Formation.Standing; store: string; changes: number }
  /** The nodes that remember more of its store than it had left when it lost the end of its log. */
  readonly witnesses: Set<NodeId>
  /** In memory and on disk alike: the greatest number of changes told, by node and store. */
  readonly told: Map<string, number>
  state: Formation.FormationState
  /** Names the start; answers to earlier ones are not taken. */
  start: number
  readonly isForced: boolean
}

type Message =
  & { readonly to: NodeId; readonly from: NodeId }
  & (
    | { readonly _tag: "Form"; readonly start: number; readonly said: Formation.Introduction }
    | {
      readonly _tag: "Formed"
      readonly start: number
      readonly said: Formation.Introduction
      readonly told: number
    }
  )

const isComplete = (state: Formation.FormationState): boolean =>
  Formation.completeness(state) === "complete"

export class FormationModel {
  readonly nodes: ReadonlyArray<Node>
  readonly messages: Array<Message> = []
  /** By node: each store that was ever complete. */
  readonly completeStores = new Map<NodeId, Set<string>>()
  /** Nodes that are complete though their store was told to have more than it has. */
  readonly forgetful: Array<string> = []
  #stores = 0
  #starts = 0

  constructor(count: number, forced: ReadonlyArray<number> = []) {
    this.nodes = Array.from({ length: count }, (_, i) => {
      const id = NodeId.make(`n${i + 1}`)
      const disk = this.#newDisk(id)
      const state = this.#begin(id, disk, count)
      const isForced = forced.includes(i)
      return { id, disk, witnesses: new Set(), told: new Map(), state, start: 0, isForced }
    })
    for (const node of this.nodes) this.#keep(node)
  }

  #newDisk(id: NodeId) {
    return { standing: Formation.newStore, store: `${id}s${++this.#stores}`, changes: 0 }
  }

  #begin(self: NodeId, { changes, standing, store }: Node["disk"], count: number) {
    const members = Array.from({ length: count }, (_, i) => NodeId.make(`n${i + 1}`))
    return Formation.make({ standing, self, store, members, recovered: changes })
  }

  #keep(node: Node): void {
    const { certificate, filledAs, own, unjudged, unsureSince } = node.state
    const standing = { certificate, filledAs, own, unjudged, unsureSince }
    node.disk = { ...node.disk, standing }
    if (!isComplete(node.state)) return
    const known = this.completeStores.get(node.id) ?? new Set<string>()
    this.completeStores.set(node.id, known.add(node.state.store))
  }

  #introduction({ id: from, state }: Node): Formation.Introduction {
    const { certificate, own, store } = state
    return { from, store, own, certificate }
  }

  ask(index: number): void {
    const node = this.nodes[index]!
    for (const to of Formation.toAsk(node.state)) {
      const { start } = node
      this.messages.push({ _tag: "Form", from: node.id, to, start, said: this.#introduction(node) })
    }
  }

  /** A change becomes durable; one other node is told of it, if the node may tell. */
  change(index: number, toldIndex: number): void {
    const node = this.nodes[index]!
    const other = this.nodes[toldIndex]!
    node.disk = { ...node.disk, changes: node.disk.changes + 1 }
    if (other === node || !Formation.mayTell(node.state, other.id)) return
    const { changes } = node.disk
    const name = `${node.id} ${node.state.store}`
    other.told.set(name, Math.max(changes, other.told.get(name) ?? 0))
  }

  restart(index: number): void {
    const node = this.nodes[index]!
    node.start = ++this.#starts
    node.state = this.#begin(node.id, node.disk, this.nodes.length)
    this.#keep(node)
  }

  loseLogEnd(index: number, changes: number): void {
    const node = this.nodes[index]!
    node.disk = { ...node.disk, changes: Math.max(0, node.disk.changes - changes) }
    for (const { id, told } of this.nodes) {
      if (this.#toldOf(node, told) > node.disk.changes) node.witnesses.add(id)
    }
    this.restart(index)
  }

  wipe(index: number): void {
    const node = this.nodes[index]!
    node.disk = this.#newDisk(node.id)
    node.told.clear()
    node.witnesses.clear()
    for (const { witnesses } of this.nodes) witnesses.delete(node.id)
    this.restart(index)
  }

  /** Every complete owner has sent everything: nothing that was lost is missing any more. */
  fill(index: number): void {
    const node = this.nodes[index]!
    if (!Formation.isToBeFilled(node.state)) return
    node.witnesses.clear()
    this.#take(node, { _tag: "Filled", id: `f${++this.#stores}` })
  }

  /** Starts the node on a disk that it had before; returns the one that it had until now. */
  putBack(index: number, disk: Node["disk"]): Node["disk"] {
    const node = this.nodes[index]!
    const before = node.disk
    node.disk = disk
    this.restart(index)
    return before
  }

  force(index: number): void {
    const node = this.nodes[index]!
    if (node.isForced) this.#take(node, { _tag: "Forced" })
  }

  /** Delivers a message; it stays, to be delivered again. */
  deliver(message: Message): void {
    const node = this.nodes.find(({ id }) => id === message.to)!
    const { from } = message
    switch (message._tag) {
      case "Form": {
        this.#take(node, { _tag: "Asked", ...message.said })
        const told = node.told.get(`${from} ${message.said.store}`) ?? 0
        const said = this.#introduction(node)
        this.messages.push({
          _tag: "Formed",
          from: node.id,
          to: from,
          start: message.start,
          said,
          told
        })
        return
      }
      case "Formed":
        if (message.start !== node.start) return
        return this.#take(node, { _tag: "Answered", told: message.told, ...message.said })
    }
  }

  #take(node: Node, event: Formation.FormationEvent): void {
    node.state = Formation.step(node.state, event)
    this.#keep(node)
    const { changes } = node.disk
    const wasTold = this.nodes.some(({ told }) => this.#toldOf(node, told) > changes)
    if (isComplete(node.state) && wasTold) this.forgetful.push(node.id)
  }

  #toldOf({ id, state: { store } }: Node, told: Node["told"]): number {
    return told.get(`${id} ${store}`) ?? 0
  }

  /** Delivers everything until nothing is asked any more. */
  settle(): void {
    for (let round = 0; round < 6; round++) {
      this.nodes.forEach((_, index) => this.ask(index))
      for (let i = 0; i < this.messages.length; i++) this.deliver(this.messages[i]!)
      this.messages.length = 0
    }
  }

  /** Which nodes are complete. */
  get complete(): ReadonlyArray<boolean> {
    return this.nodes.map(({ state }) => isComplete(state))
  }

  /** The nodes that are complete though another one can prove that they lost changes. */
  get disproved(): ReadonlyArray<NodeId> {
    return this.nodes
      .filter(({ state, witnesses }) => isComplete(state) && witnesses.size > 0)
      .map(({ id }) => id)
  }

  /** Each node's certificate, as a text. */
  get certificates(): ReadonlyArray<string> {
    return this.nodes.map(({ state: { certificate } }) =>
      JSON.stringify([certificate.formed, ...Certificate.entries(certificate)])
    )
  }
}
