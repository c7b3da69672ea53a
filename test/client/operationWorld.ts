/**
 * Lends tests a world of one operation: a client with its real decisions, nodes that judge by
 * `core/operations`, and messages that come in any order, twice or never.
 */
import type { TaggedAnswer } from "../../schemas/ClientAnswer.ts"
import type { BackendAnswer } from "../../src/client/Backend.ts"
import { NodeMarks } from "../../src/client/NodeMarks.ts"
import { RemoteRequest, type RequestSender } from "../../src/client/RemoteRequest.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import {
  NodeUnavailable,
  OperationUnknown,
  Overloaded,
  StaleMark,
  type StoreError
} from "../../src/core/model/StoreError.ts"
import * as Inquiry from "../../src/core/operations/InquiryDecision.ts"
import * as Mark from "../../src/core/operations/Mark.ts"
import * as Proof from "../../src/core/operations/Proof.ts"
import type { SeededRandom } from "../../src/testing/simulator/SeededRandom.ts"

const ids = ["n1", "n2", "n3"].map((name) => NodeId.make(name))
const operation = "the operation"
/** More than arrive in any run. */
export const idsEnough = 100

interface Claim extends Proof.Claim {
  readonly attempt: number
}

interface Message {
  readonly to: NodeId | "client"
  readonly comesOnce?: boolean
  readonly isCertain?: boolean
  readonly deliver: () => void
}

type Entry = { readonly _tag: "Applied" | "Fenced"; readonly arrival: number }

interface UnderWay {
  decision: Inquiry.InquiryDecision
  readonly claim: Claim
}

export interface WorldOptions {
  readonly random: SeededRandom
  /** Entries that a node keeps. */
  readonly idsMax: number
  readonly ifUnknown: "fail" | "apply"
  readonly sendingsPerNode: number
}

class Node {
  readonly id: NodeId
  readonly #world: World
  readonly #entries = new Map<string, Entry>()
  #arrivals = 0
  #evictedThrough = 0
  #underWay: UnderWay | undefined
  starts = 1
  isUp = true
  refuses = false
  /** Has too much to do: it reads no request. */
  sheds = false

  constructor(id: NodeId, world: World) {
    this.id = id
    this.#world = world
  }

  get #memory(): Proof.Memory {
    const [arrivals, evictedThrough] = [this.#arrivals, this.#evictedThrough]
    return { incarnation: `${this.starts}`.padStart(15, "0"), arrivals, evictedThrough }
  }

  get mark(): string {
    return Mark.encode(this.#memory)
  }

  /** Another operation arrives. */
  noise(): void {
    this.#note(`other ${this.#arrivals}`, "Applied")
  }

  /** Dies, and starts anew: rows stay if they were on disk. */
  restart(keepsRows: boolean): void {
    this.starts++
    this.#arrivals = 0
    this.#evictedThrough = 0
    this.#underWay = undefined
    const kept = [...this.#entries].filter(([, { _tag }]) => keepsRows && _tag === "Applied")
    this.#entries.clear()
    for (const [name] of kept) this.#note(name, "Applied")
    this.isUp = true
  }

  /** A request of the client. */
  request(claim: Claim): void {
    if (this.#underWay !== undefined) return
    const verdict = Proof.judge(this.#memory, { self: this.id, trace: this.#trace, claim })
    if (this.refuses) return this.#refuse(claim, verdict)
    switch (verdict._tag) {
      case "Known":
        return this.#answer(claim)
      case "Do":
        return this.#carryOut(claim)
      case "Stale":
        return this.#world.reply(this, claim, new StaleMark({ node: this.id, mark: this.mark }))
      case "Inquire": {
        const decision = Inquiry.make({
          ...verdict,
          self: this.id,
          ifUnknown: this.#world.options.ifUnknown,
          owners: ids,
          isAway: (node) => !this.#world.node(node).isUp
        })
        this.#underWay = { decision, claim }
        for (const question of decision.questions) this.#ask(question)
        this.#settle()
      }
    }
  }

  /** Nobody else is waited for. */
  giveUpWaiting(): void {
    this.#step({ _tag: "Deadline" })
  }

  store(): void {
    if (this.#trace?._tag !== "Applied") this.#note(operation, "Applied")
  }

  get #trace(): Proof.Trace | undefined {
    return this.#entries.get(operation)
  }

  #note(name: string, tag: Entry["_tag"]): void {
    this.#entries.delete(name)
    this.#entries.set(name, { _tag: tag, arrival: ++this.#arrivals })
    const [oldest] = this.#entries
    if (this.#entries.size <= this.#world.options.idsMax || oldest === undefined) return
    this.#entries.delete(oldest[0])
    this.#evictedThrough = oldest[1].arrival
  }

  #fence(): void {
    if (this.#trace?._tag !== "Applied") this.#note(operation, "Fenced")
  }

  #refuse(claim: Claim, verdict: Proof.Verdict): void {
    const { _tag } = verdict
    if (_tag === "Stale") {
      return this.#world.reply(this, claim, new StaleMark({ node: this.id, mark: this.mark }))
    }
    const isProven = _tag === "Do" || (_tag === "Inquire" && verdict.isProven)
    if (!isProven) return this.#world.reply(this, claim, unknown())
    if (claim.mark !== undefined) this.#fence()
    this.#world.reply(this, claim, new NodeUnavailable({ node: this.id, reason: "it stops" }))
  }

  #carryOut(claim: Claim): void {
    if (this.#trace?._tag !== "Applied") {
      this.#world.timesApplied++
      this.#note(operation, "Applied")
      for (const to of ids) {
        const other = this.#world.node(to)
        if (other !== this) this.#world.send({ to, deliver: () => other.store() })
      }
    }
    this.#answer(claim)
  }

  #answer(claim: Claim): void {
    const done: TaggedAnswer = { _tag: "Answer", values: [], context: "c", replied: 1, siblings: 0 }
    this.#world.reply(this, claim, done)
  }

  #ask({ mark, node }: Inquiry.Question): void {
    const other = this.#world.node(node)
    this.#world.send({ to: node, deliver: () => other.#testify(this, mark) })
  }

  #testify(from: Node, mark: string | undefined): void {
    const { id } = this
    const tell = (event: Inquiry.InquiryEvent) =>
      this.#world.send({ to: from.id, deliver: () => from.#hear(event) })
    if (this.#underWay !== undefined) {
      if (from.id > id) return tell({ _tag: "Rival", node: id })
      this.#step({ _tag: "Rival", node: from.id })
    }
    const word = Proof.testify(this.#memory, { mark, trace: this.#trace })
    if (word._tag === "Fenced") this.#fence()
    if (word._tag !== "Forwarded") tell({ _tag: word._tag, from: id, mark })
  }

  #hear(event: Inquiry.InquiryEvent): void {
    if (event._tag === "Known" && this.#underWay !== undefined) this.store()
    this.#step(event)
  }

  #step(event: Inquiry.InquiryEvent): void {
    if (this.#underWay === undefined) return
    this.#underWay.decision = Inquiry.step(this.#underWay.decision, event)
    this.#settle()
  }

  #settle(): void {
    if (this.#underWay === undefined) return
    const { claim, decision: { outcome } } = this.#underWay
    if (outcome._tag === "Wait") return
    this.#underWay = undefined
    if (outcome._tag === "Known") return this.#answer(claim)
    if (outcome._tag === "Do") return this.#carryOut(claim)
    if (outcome._tag === "Unknown") this.#world.reply(this, claim, unknown())
    // Where it gives way, the client sends again.
  }
}

const unknown = () => new OperationUnknown({ nodes: [], mayHaveApplied: true })

/** The world, whose steps are drawn. */
export class World {
  readonly options: WorldOptions
  timesApplied = 0
  outcome: BackendAnswer | StoreError | undefined
  #numbers = 0
  readonly #nodes = new Map(ids.map((id) => [id, new Node(id, this)]))
  readonly #messages: Array<Message> = []
  /** Each message takes so long that some marks are old before the next one. */
  readonly #marks = new NodeMarks({ elapsed: () => this.#numbers * 20 }, lan.client)
  readonly #request: RemoteRequest
  readonly #loss: number

  constructor(options: WorldOptions) {
    this.options = options
    this.#loss = options.random.pick([0, 0.1, 0.5])
    for (const { id: node, mark } of this.#nodes.values()) {
      if (options.random.chance(0.7)) this.#marks.learn({ node, mark })
    }
    const limits = { ...lan.client, sendingsPerNode: options.sendingsPerNode, attemptsMax: 10 }
    const sender: RequestSender = {
      runtime: { elapsed: () => 0, random: () => 0, after: (_, task) => this.#later(task) },
      limits,
      session: "s",
      nodeFor: (_, avoid) => ids.find((id) => !avoid.has(id)),
      markOf: (node) => this.#marks.of(node),
      post: (text, node) => {
        text.message = ++this.#numbers
        this.#post(text.text, text.message, node ?? options.random.pick(ids))
        return undefined
      },
      ended: () => undefined,
      answered: () => undefined,
      unreachable: () => undefined,
      shed: () => undefined,
      mayRetry: () => options.random.chance(0.8)
    }
    const asked = { action: "write", bucket: BucketName.make("b"), body: { key: "k" } } as const
    this.#request = new RemoteRequest(sender, 1, asked, (outcome) => void (this.outcome = outcome))
    this.#request.start()
  }

  node(id: NodeId): Node {
    return this.#nodes.get(id)!
  }

  send(message: Message): void {
    this.#messages.push(message)
  }

  /** Answers one attempt of the client, with the node's mark at this moment. */
  reply(from: Node, { attempt }: Claim, outcome: TaggedAnswer | StoreError): void {
    const { id: node, mark } = from
    const deliver = () => {
      this.#marks.learn({ node, mark })
      if (this.outcome === undefined) this.#request.answer(outcome, attempt)
    }
    this.send({ to: "client", deliver })
  }

  /** Anything that may happen next. */
  proceed(): void {
    const { random } = this.options
    const node = this.node(random.pick(ids))
    const chance = random.next()
    if (chance < 0.6) this.#deliver()
    else if (chance < 0.75) node.noise()
    else if (chance < 0.9) this.#request.resend()
    else if (chance < 0.93) node.refuses = !node.refuses
    else if (chance < 0.94) node.sheds = !node.sheds
    else if (chance < 0.96) node.giveUpWaiting()
    else if (chance < 0.98 && node.isUp) node.isUp = false
    // A message of another request finds that nobody listens there.
    else if (chance < 0.98) this.#request.gone(node.id, this.#numbers)
    else node.restart(random.chance(0.5))
  }

  /** Delivers all that is under way, and ends the request. */
  end(): void {
    for (let steps = 0; steps < 200 && this.#messages.length > 0; steps++) this.#deliver()
    if (this.outcome === undefined) this.#request.expire()
    for (let steps = 0; steps < 200 && this.#messages.length > 0; steps++) this.#deliver()
  }

  #deliver(): void {
    const { random } = this.options
    if (this.#messages.length === 0) return
    const at = random.integer(0, this.#messages.length - 1)
    const message = this.#messages[at]!
    if (message.comesOnce === true || random.chance(0.95)) this.#messages.splice(at, 1)
    if (message.isCertain !== true && random.chance(this.#loss)) return
    if (message.to === "client" || this.node(message.to).isUp) message.deliver()
  }

  #post(text: string, message: number, to: NodeId): void {
    const { id, mark, tried = [] } = JSON.parse(text)
    const claim = { mark, tried, attempt: id % 10 }
    const node = this.node(to)
    // The incarnation that has read it; 0 where its node passed it over.
    let readIn: number | undefined
    const deliver = () => {
      const isCopy = readIn !== undefined
      readIn ??= node.sheds ? 0 : node.starts
      // The broker makes no copies. One that comes all the same does no harm where its node has
      // read the first, and has forgotten nothing since: no entry, and no incarnation.
      if (isCopy && (node.sheds || readIn !== node.starts)) return
      return node.sheds ? this.#shed(to, claim, message) : node.request(claim)
    }
    const comesOnce = this.options.idsMax < idsEnough
    if (node.isUp) return this.send({ to, comesOnce, deliver })
    // That nobody listens is told once of a message, since it takes one sending back.
    const undeliver = () => this.#request.undelivered(message)
    this.send({ to: "client", comesOnce: true, deliver: undeliver })
  }

  #later(task: () => void): () => void {
    this.send({ to: "client", comesOnce: true, isCertain: true, deliver: task })
    return () => undefined
  }

  /** Passes a message over, and says so once. */
  #shed(node: NodeId, { attempt }: Claim, message: number): void {
    const error = new Overloaded({ node, retryAfterMillis: 50 })
    const deliver = this.options.random.chance(0.5)
      ? () => this.#request.refused(message, error)
      : () => this.#request.answer(error, attempt)
    this.send({ to: "client", comesOnce: true, deliver })
  }
}
