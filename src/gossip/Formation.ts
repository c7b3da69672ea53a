/**
 * Forms the cluster, and finds out after each start whether this node's store has all that it ever
 * acknowledged: asks the other members until all have answered and hold the same certificate, and
 * answers them. `core/membership` decides; nothing is said before its reason is on disk.
 */
import type { Form, Formed, PeerHandlers, PeerMessage } from "../../schemas/PeerMessage.ts"
import * as Certificate from "../core/membership/Certificate.ts"
import * as Decision from "../core/membership/Formation.ts"
import * as StandingCodec from "../core/membership/StandingCodec.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import { noPosition, type Position } from "../transport/Frame.ts"
import { type Note, storeTag } from "./ToldPositions.ts"

export interface FormationOptions {
  readonly runtime: Runtime
  readonly self: NodeId
  readonly members: ReadonlyArray<NodeId>
  readonly storeId: string
  /** The changes that the store has committed. */
  readonly committedChanges: () => number
  readonly standing: Decision.Standing
  /** Keeps the text of the standing. */
  readonly keep: Note["keep"]
  /** An operator's word: form without the members that do not answer in time. */
  readonly isForced: boolean
  readonly send: (to: NodeId, message: PeerMessage) => void
  /** Sends no more than a frame's header, which has the position. */
  readonly greet: (to: NodeId) => void
  /** The greatest number of changes that a node said are durable in its store. */
  readonly told: (node: NodeId, storeId: string) => number
  readonly limits: Pick<NodeLimits, "formAskMillis" | "formWaitMillis">
}

export class Formation {
  readonly handlers: PeerHandlers<"Form" | "Formed"> = {
    Form: (message, from) => this.#asked(from, message),
    Formed: (message, from) => this.#answered(from, message)
  }
  readonly #options: FormationOptions
  /** Names this start: an answer to an earlier one says less. */
  readonly #start: number
  readonly #others: ReadonlyArray<NodeId>
  #state: Decision.FormationState
  /** The last state whose standing is on disk. */
  #kept: Decision.FormationState
  /** Of the kept store's name. Each frame has it, so it is made once for each name. */
  #tag: { readonly of: string; readonly tag: number } = { of: "", tag: 0 }
  /** The last start of each other node that asked. */
  readonly #starts = new Map<NodeId, number>()
  #asking: Cancel | undefined
  #forcing: Cancel | undefined
  #isTelling = false
  #closed = false

  constructor(options: FormationOptions) {
    const { committedChanges, members, runtime, self, standing, storeId: store } = options
    this.#options = options
    this.#start = Number.parseInt(runtime.id().slice(-8), 36)
    this.#others = members.filter((node) => node !== self)
    const recovered = committedChanges()
    this.#state = Decision.make({ standing, self, store, members, recovered })
    // A node alone has nobody to ask, so that nothing rests on its disk.
    this.#kept = this.#others.length === 0 ? this.#state : { ...this.#state, ...standing }
  }

  /** Begins to ask. */
  start(): void {
    const { isForced, limits: { formWaitMillis }, runtime } = this.#options
    this.#keep(() => {})
    this.#ask()
    if (!isForced) return
    this.#forcing = runtime.after(formWaitMillis, () => this.#take({ _tag: "Forced" }, () => {}))
  }

  close(): void {
    this.#closed = true
    this.#asking?.()
    this.#forcing?.()
  }

  /** Of this node's store, for all documents alike. */
  completeness(): Completeness {
    return Decision.completeness(this.#kept)
  }

  status(): Decision.FormationStatus {
    return Decision.status(this.#kept)
  }

  /** Whether the other owners are to send everything that they have. */
  isToBeFilled(): boolean {
    return Decision.isToBeFilled(this.#kept)
  }

  /** Every complete owner has sent everything, and it is on disk. */
  filled(): void {
    const { runtime } = this.#options
    if (!this.isToBeFilled()) return
    runtime.mark("formation: the own store is filled")
    this.#take({ _tag: "Filled", id: runtime.id() }, () => {})
  }

  /** The durable changes that another node may be told of. */
  position(to: NodeId): Position {
    return Decision.mayTell(this.#kept, to)
      ? { store: this.#storeTag(), changes: this.#options.committedChanges() }
      : noPosition
  }

  #storeTag(): number {
    const { store } = this.#kept
    if (this.#tag.of !== store) this.#tag = { of: store, tag: storeTag(store) }
    return this.#tag.tag
  }

  /** Tells the others at the end of this turn how many changes are durable. */
  tell(): void {
    if (this.#isTelling || this.#closed) return
    const { greet, runtime } = this.#options
    this.#isTelling = true
    runtime.endOfTurn(() => {
      this.#isTelling = false
      for (const node of this.#others) greet(node)
    })
  }

  #asked(from: NodeId, message: Form): void {
    const event = { _tag: "Asked", ...heardFrom(from, message) } as const
    this.#take(event, () => this.#answer(from, message))
    if (this.#starts.get(from) === message.request || !this.#others.includes(from)) return
    // It has just started: a question before that may have been lost on it.
    this.#starts.set(from, message.request)
    if (Decision.toAsk(this.#state).includes(from)) this.#askNode(from)
  }

  #answer(from: NodeId, { request, store }: Form): void {
    const { send, told } = this.#options
    if (!this.#others.includes(from)) return
    const said = introduction(this.#kept)
    send(from, { _tag: "Formed", request, ...said, told: told(from, store) })
  }

  #answered(from: NodeId, message: Formed): void {
    if (message.request !== this.#start) return
    const { told } = message
    this.#take({ _tag: "Answered", told, ...heardFrom(from, message) }, () => {})
  }

  /** Takes a step, and runs `then` once its standing is on disk. */
  #take(event: Decision.FormationEvent, then: () => void): void {
    if (this.#closed) return
    const before = this.#state
    this.#state = Decision.step(before, event)
    if (this.#state.own !== before.own) this.#mark()
    // The others are told at once of what they may not know.
    const isNews = this.#state.certificate !== before.certificate
    this.#keep(
      isNews
        ? () => {
          then()
          this.#ask()
        }
        : then
    )
    this.#schedule()
  }

  #mark(): void {
    const { runtime } = this.#options
    switch (this.#state.own) {
      case "named":
        return runtime.mark("formation: the own store is named")
      case "unnamed":
        return runtime.mark("formation: another store is named in place of the own")
      case "amnesiac":
        return runtime.mark("formation: the own store lost what it told")
    }
  }

  #keep(then: () => void): void {
    const state = this.#state
    if (Decision.isSameStanding(state, this.#kept)) {
      this.#kept = state
      return then()
    }
    this.#options.keep(StandingCodec.encode(state), (isKept) => {
      // A later event, or the next question, tries again.
      if (!isKept || this.#closed) return
      this.#kept = state
      then()
    })
  }

  #ask(): void {
    for (const node of Decision.toAsk(this.#state)) this.#askNode(node)
    this.#schedule()
  }

  #askNode(node: NodeId): void {
    this.#options.send(node, { _tag: "Form", request: this.#start, ...introduction(this.#kept) })
  }

  #schedule(): void {
    if (this.#asking !== undefined || this.#closed) return
    const { limits: { formAskMillis }, runtime } = this.#options
    const isOver = Decision.toAsk(this.#state).length === 0
      && Decision.isSameStanding(this.#state, this.#kept)
    if (isOver) return
    this.#asking = runtime.after(formAskMillis, () => {
      this.#asking = undefined
      this.#keep(() => {})
      this.#ask()
    })
  }
}

const introduction = (state: Decision.FormationState) => ({
  store: state.store,
  own: state.own,
  formed: state.certificate.formed,
  stores: Certificate.entries(state.certificate)
})

const heardFrom = (
  from: NodeId,
  { formed, own, store, stores }: Form | Formed
): Decision.Introduction => ({
  from,
  store,
  own,
  certificate: { formed, stores: new Map(stores) }
})
