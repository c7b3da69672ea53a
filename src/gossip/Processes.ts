/**
 * Finds out whether another process runs under this node's id: as after a machine was cloned, or
 * where two configurations name one node. Both would give out dots of one name, and each would
 * answer requests that the other never hears of.
 *
 * A process asks on the subject of frames from its id to its id, on which only processes under this
 * id listen. A frame of a former incarnation that comes late is no answer, since each question has
 * a number of its own. One who takes an answer returns it, so that the other notices, too, before
 * one of the two ends.
 */
import { Malformed } from "../core/codec/Bytes.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import * as Frame from "../transport/Frame.ts"
import { FrameGate, type GateRefusals } from "../transport/FrameGate.ts"
import type { FrameSeal } from "../transport/FrameSeal.ts"
import type { FrameWindowLimits } from "../transport/FrameWindows.ts"
import { Subjects } from "../transport/Subjects.ts"
import type { Message, Subscription, TransportService } from "../transport/Transport.ts"

/** A process under this node's id. */
export type Process = Omit<Frame.Identity, "nonce">

/**
 * Whether this process goes on where it meets another one under its id. Both come to the same
 * result: the one goes on whose store the cluster's certificate names; where that does not tell,
 * the one that started first.
 */
export const goesOn = (own: Process, other: Process): boolean =>
  own.isNamed === other.isNamed ? own.startedAs < other.startedAs : own.isNamed

export interface ProcessesOptions {
  readonly runtime: Pick<Runtime, "after" | "id" | "mark" | "now">
  readonly transport: TransportService
  readonly cluster: ClusterName
  readonly node: NodeId
  readonly partitionCount: number
  /** Seals the questions and answers of this process, and proves those of others. */
  readonly seal: FrameSeal
  readonly own: () => Process
  readonly limits: FrameWindowLimits & Pick<NodeLimits, "probeMillis" | "processCheckMillis">
}

/** Numbers of the frames before a process serves; it counts on from there. */
const numberAtStart = { question: 0, answer: 1 }

/** Questions and answers alike are sealed for it: brokers may change the subject of a reply. */
const subjectOf = ({ cluster, node }: ProcessesOptions): string =>
  new Subjects(cluster).peer({ to: node, from: node })

const encode = (options: ProcessesOptions, number: number, body: Frame.FrameBody): Uint8Array => {
  const { cluster, own, partitionCount, runtime, seal } = options
  const header = {
    cluster,
    partitionCount,
    senderIncarnation: own().startedAs,
    number,
    receiverIncarnation: "",
    clockMillis: runtime.now()
  }
  const frame = Frame.encode(header, body)
  seal.seal(subjectOf(options), frame)
  return frame
}

/** Lets the frames in that processes under this id made. */
const gateOf = (options: ProcessesOptions, onOtherKey: () => void): FrameGate =>
  new FrameGate({ ...options, isMember: (from) => from === options.node, onOtherKey })

/** The frame of a message; undefined where it is none. */
const opened = (
  options: ProcessesOptions,
  gate: FrameGate,
  { data, noResponders }: Message
): Frame.Frame | undefined => {
  if (noResponders) return undefined
  try {
    const frame = gate.open({ from: options.node, subject: subjectOf(options), data })
    return frame?.header.cluster === options.cluster ? frame : undefined
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

/** The process in the answer to a question; undefined for all other frames. */
const answerTo = (
  nonce: string | undefined,
  { own }: ProcessesOptions,
  frame: Frame.Frame | undefined
): Process | undefined => {
  if (frame?.body._tag !== "ProbeAnswer") return undefined
  const { _tag, nonce: told, ...other } = frame.body
  return told === nonce && other.startedAs !== own().startedAs ? other : undefined
}

interface Telling {
  readonly nonce: string
  /** Of the frame. */
  readonly number: number
  readonly to: string
  readonly inbox?: string
}

const tell = (options: ProcessesOptions, { inbox, nonce, number, to }: Telling): void =>
  options.transport.publish(
    to,
    encode(options, number, { _tag: "ProbeAnswer", nonce, ...options.own() }),
    inbox
  )

interface Asking {
  readonly nonce: string
  /** Of the frame. */
  readonly number: number
  readonly inbox: string
}

const ask = (options: ProcessesOptions, { inbox, nonce, number }: Asking): void =>
  options.transport.publish(
    subjectOf(options),
    encode(options, number, { _tag: "Probe", nonce, ...options.own() }),
    inbox
  )

/**
 * Asks once, before this process serves: `done` gets the process that answered, or undefined.
 *
 * **Guarantees** an answer after `probeMillis` at the latest; at once where the broker knows of
 * nobody who listens, as after a crash.
 */
export const probe = (
  options: ProcessesOptions,
  done: (other: Process | undefined) => void
): void => {
  const { limits, transport, runtime } = options
  const nonce = runtime.id()
  const inbox = transport.newInbox()
  const gate = gateOf(options, () => {})
  let isOver = false
  const end = (other: Process | undefined) => {
    if (isOver) return
    isOver = true
    cancel()
    subscription.close()
    done(other)
  }
  const cancel = runtime.after(limits.probeMillis, () => end(undefined))
  const subscription = transport.subscribe(inbox, (message) => {
    if (message.noResponders) return end(undefined)
    const other = answerTo(nonce, options, opened(options, gate, message))
    if (other === undefined) return
    const { reply } = message
    if (reply !== undefined) tell(options, { nonce, number: numberAtStart.answer, to: reply })
    end(other)
  })
  ask(options, { inbox, nonce, number: numberAtStart.question })
}

export interface WatchOptions extends ProcessesOptions {
  /** Told of each message that says another key. It proves nothing. */
  readonly onOtherKey: () => void
  /** Told once that this process must end, because of another one. */
  readonly onSuperseded: (other: Process) => void
}

/** Answers the questions of other processes under this id, and asks for them now and then. */
export class Processes {
  readonly #options: WatchOptions
  readonly #inbox: string
  readonly #subscriptions: ReadonlyArray<Subscription>
  readonly #gate: FrameGate
  #cancel: Cancel = () => {}
  /** Of the own last question. */
  #asked: string | undefined
  /** Of the last question of another process that was answered. */
  #answered: string | undefined
  #met = 0
  /** Of the last frame. */
  #number = numberAtStart.answer
  #superseded: Process | undefined
  #isClosed = false

  constructor(options: WatchOptions) {
    const { transport } = options
    this.#options = options
    this.#gate = gateOf(options, options.onOtherKey)
    this.#inbox = transport.newInbox()
    this.#subscriptions = [
      transport.subscribe(this.#inbox, (message) => this.#hear(message)),
      transport.subscribe(subjectOf(options), (message) => this.#answer(message))
    ]
    this.#check()
  }

  /** How often another process answered. */
  get met(): number {
    return this.#met
  }

  /** Messages to this id that no process under it and with its key had made. */
  get refusals(): GateRefusals {
    return this.#gate.refusals
  }

  /** The process because of which this one ended; undefined while it goes on. */
  get superseded(): Process | undefined {
    return this.#superseded
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
    for (const subscription of this.#subscriptions) subscription.close()
  }

  #check(): void {
    const { limits, runtime } = this.#options
    this.#asked = runtime.id()
    ask(this.#options, { inbox: this.#inbox, nonce: this.#asked, number: ++this.#number })
    this.#cancel = runtime.after(limits.processCheckMillis, () => this.#check())
  }

  #answer(message: Message): void {
    const { reply } = message
    if (this.#isClosed || reply === undefined || this.#isOwn(message)) return
    const frame = opened(this.#options, this.#gate, message)
    if (frame?.body._tag !== "Probe") return
    const { nonce } = frame.body
    this.#answered = nonce
    tell(this.#options, { nonce, number: ++this.#number, to: reply, inbox: this.#inbox })
  }

  /** Whether the message says that it is from this process, which has nothing to say to itself. */
  #isOwn({ data }: Message): boolean {
    return Frame.isLongEnough(data) && Frame.isOfIncarnation(data, this.#options.own().startedAs)
  }

  #hear(message: Message): void {
    if (this.#isClosed) return
    const { onSuperseded, own } = this.#options
    const frame = opened(this.#options, this.#gate, message)
    // The one that returns an answer has decided: it ends, or is asked in its turn.
    if (answerTo(this.#answered, this.#options, frame) !== undefined) return this.#notice()
    const other = answerTo(this.#asked, this.#options, frame)
    if (other === undefined) return
    this.#notice()
    const { reply } = message
    if (reply !== undefined) {
      tell(this.#options, { nonce: this.#asked!, number: ++this.#number, to: reply })
    }
    if (this.#superseded !== undefined || goesOn(own(), other)) return
    this.#superseded = other
    onSuperseded(other)
  }

  #notice(): void {
    this.#met++
    this.#options.runtime.mark("processes: another one runs under this id")
  }
}
