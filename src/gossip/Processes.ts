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
  /** Names of this node's keys: frames say the first, and those under none of them are refused. */
  readonly keyIds: ReadonlyArray<string>
  readonly own: () => Process
  readonly limits: Pick<NodeLimits, "probeMillis" | "processCheckMillis">
}

const encode = (options: ProcessesOptions, body: Frame.FrameBody): Uint8Array => {
  const { cluster, keyIds, own, partitionCount, runtime } = options
  const header = {
    cluster,
    partitionCount,
    keyId: keyIds[0],
    senderIncarnation: own().startedAs,
    receiverIncarnation: "",
    clockMillis: runtime.now()
  }
  return Frame.encode(header, body)
}

/** The frame of a message; undefined where it is none. */
const decode = ({ data }: Message): Frame.Frame | undefined => {
  try {
    return Frame.decode(data)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

const isTaken = ({ cluster, keyIds }: ProcessesOptions, { header }: Frame.Frame): boolean =>
  header.cluster === cluster && (header.keyId === undefined || keyIds.includes(header.keyId))

/** The answer to a question; undefined for all other messages. */
const answerTo = (
  nonce: string | undefined,
  options: ProcessesOptions,
  message: Message
): Process | undefined => {
  const frame = message.noResponders ? undefined : decode(message)
  if (frame === undefined || frame.body._tag !== "ProbeAnswer") return undefined
  const { _tag, nonce: told, ...other } = frame.body
  const isOther = told === nonce && other.startedAs !== options.own().startedAs
  return isOther && isTaken(options, frame) ? other : undefined
}

const tell = (options: ProcessesOptions, nonce: string, to: string, inbox?: string): void =>
  options.transport.publish(
    to,
    encode(options, { _tag: "ProbeAnswer", nonce, ...options.own() }),
    inbox
  )

const ask = (options: ProcessesOptions, inbox: string, nonce: string): void => {
  const { cluster, node, own, transport } = options
  const subject = new Subjects(cluster).peer({ to: node, from: node })
  transport.publish(subject, encode(options, { _tag: "Probe", nonce, ...own() }), inbox)
}

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
    const other = answerTo(nonce, options, message)
    if (other === undefined) return
    if (message.reply !== undefined) tell(options, nonce, message.reply)
    end(other)
  })
  ask(options, inbox, nonce)
}

export interface WatchOptions extends ProcessesOptions {
  /** Told of each question under another key. */
  readonly onOtherKey: () => void
  /** Told once that this process must end, because of another one. */
  readonly onSuperseded: (other: Process) => void
}

/** Answers the questions of other processes under this id, and asks for them now and then. */
export class Processes {
  readonly #options: WatchOptions
  readonly #inbox: string
  readonly #subscriptions: ReadonlyArray<Subscription>
  #cancel: Cancel = () => {}
  /** Of the own last question. */
  #asked: string | undefined
  /** Of the last question of another process that was answered. */
  #answered: string | undefined
  #met = 0
  #superseded: Process | undefined
  #isClosed = false

  constructor(options: WatchOptions) {
    const { cluster, node, transport } = options
    this.#options = options
    this.#inbox = transport.newInbox()
    const subject = new Subjects(cluster).peer({ to: node, from: node })
    this.#subscriptions = [
      transport.subscribe(this.#inbox, (message) => this.#hear(message)),
      transport.subscribe(subject, (message) => this.#answer(message))
    ]
    this.#check()
  }

  /** How often another process answered. */
  get met(): number {
    return this.#met
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
    ask(this.#options, this.#inbox, this.#asked)
    this.#cancel = runtime.after(limits.processCheckMillis, () => this.#check())
  }

  #answer(message: Message): void {
    const frame = decode(message)
    if (this.#isClosed || frame?.body._tag !== "Probe" || message.reply === undefined) return
    const { onOtherKey, own } = this.#options
    const { nonce, startedAs } = frame.body
    if (startedAs === own().startedAs) return
    if (!isTaken(this.#options, frame)) return onOtherKey()
    this.#answered = nonce
    tell(this.#options, nonce, message.reply, this.#inbox)
  }

  #hear(message: Message): void {
    if (this.#isClosed) return
    const { onSuperseded, own } = this.#options
    // The one that returns an answer has decided: it ends, or is asked in its turn.
    if (answerTo(this.#answered, this.#options, message) !== undefined) return this.#notice()
    const other = answerTo(this.#asked, this.#options, message)
    if (other === undefined) return
    this.#notice()
    if (message.reply !== undefined) tell(this.#options, this.#asked!, message.reply)
    if (this.#superseded !== undefined || goesOn(own(), other)) return
    this.#superseded = other
    onSuperseded(other)
  }

  #notice(): void {
    this.#met++
    this.#options.runtime.mark("processes: another one runs under this id")
  }
}
