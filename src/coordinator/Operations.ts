/**
 * Sees to it that a write that names its operation is applied once: answers it from what is stored
 * where it was applied, lets it go on where it was certainly not, and inquires where others know.
 * The rules are `core/operations`'s; this file finds the memory that they judge by.
 */
import type { Fence, Fenced, PeerMessage } from "../../schemas/PeerMessage.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { invariant } from "../core/Invariant.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as Mark from "../core/operations/Mark.ts"
import { operationName } from "../core/operations/OperationId.ts"
import * as Proof from "../core/operations/Proof.ts"
import { rowKeyOf } from "../core/ring/Partition.ts"
import { runEach } from "../core/RunEach.ts"
import { AwaitedRival } from "./AwaitedRival.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { Served } from "./Gather.ts"
import type { ForwardedOperation } from "./Forwarding.ts"
import { Inquiry } from "./Inquiry.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import type { Answer } from "./Request.ts"
import type { IdentifiedWrite, ValidatedWrite } from "./ValidatedRequest.ts"

/** Carries a write out here, or answers from what is stored where it was carried out. */
type CarryOut = (write: ValidatedWrite, open: OpenRequest<Answer>) => void

/** One operation that others are asked about, or waited for. */
interface UnderWay {
  /** Undefined while the node has given way to another. */
  readonly inquiry: Inquiry | undefined
  /** Runs at the end: requests for the same operation, and nodes that gave way, each once. */
  readonly after: Map<string, () => void>
}

export class Operations {
  readonly #context: CoordinatorContext
  readonly #partitionCount: number
  readonly #carryOut: CarryOut
  readonly #underWay = new Map<string, UnderWay>()
  #waiting = 0

  constructor(
    context: CoordinatorContext,
    options: { readonly partitionCount: number; readonly carryOut: CarryOut }
  ) {
    this.#context = context
    this.#partitionCount = options.partitionCount
    this.#carryOut = options.carryOut
  }

  /** The verdict of this node's memory on a write. */
  judge({ claim, id, row }: IdentifiedWrite): Proof.Verdict {
    const { node: self, replica } = this.#context
    const trace = replica.trace(row, id)
    return Proof.judge(replica.operations.memory(), { self, trace, claim })
  }

  /** Begins a write at a primary of its document. */
  begin(write: IdentifiedWrite, open: OpenRequest<Answer>): void {
    if (this.#waits(write, () => this.#beginAfterwards(write, open))) return
    const verdict = this.judge(write)
    switch (verdict._tag) {
      case "Known":
      case "Do":
        return this.#carryOut(write, open)
      case "Stale":
        return open.answer(this.staleMark())
      case "Inquire":
        return this.#inquire(write, open, verdict)
    }
  }

  /** Begins a write that has waited. One whose time is over could apply it and not say so. */
  #beginAfterwards(write: IdentifiedWrite, open: OpenRequest<Answer>): void {
    const { counters, node, runtime } = this.#context
    if (runtime.elapsed() < open.deadline(write.timeoutMillis)) return this.begin(write, open)
    counters.unknownOperations++
    const reason = "an earlier request for the operation took all the time"
    open.answer(new Errors.OperationUnknown({ nodes: [{ node, reason }], mayHaveApplied: true }))
  }

  /**
   * Begins to forward a write, unless another request for its operation is under way: then once
   * that has ended. Two that go to nodes at the same time could not speak for each other.
   */
  forward(write: IdentifiedWrite, task: (ended: () => void) => void): void {
    if (this.#waits(write, () => this.forward(write, task))) return
    const underWay: UnderWay = { inquiry: undefined, after: new Map() }
    const name = operationName(write.row, write.id)
    this.#underWay.set(name, underWay)
    try {
      task(() => this.#end(name, underWay.after))
    } catch (failure) {
      this.#end(name, underWay.after)
      throw failure
    }
  }

  /** The operation of a write that is forwarded; undefined where its mark is stale. */
  forwarded(write: IdentifiedWrite): ForwardedOperation | undefined {
    const { node } = this.#context
    const { claim, id, row } = write
    const verdict = this.judge(write)
    const mark = this.#markBefore(write) ?? claim.mark
    const shared = { id, row, hasMarks: claim.mark !== undefined, isNoted: true }
    switch (verdict._tag) {
      case "Stale":
        return undefined
      case "Do":
        return { ...shared, tried: [] }
      case "Known":
        return { ...shared, tried: [{ node, mark }] }
      case "Inquire": {
        // The primary asks this node, too, under each mark that may prove nothing.
        const before = claim.tried.filter((target) => target.node === node)
        const own = verdict.isProven ? [] : [{ node, mark }, ...before]
        return { ...shared, tried: [...own, ...verdict.tried] }
      }
    }
  }

  /**
   * A mark from before a kept copy brought an operation here, which proves nothing any more once
   * that is forgotten.
   */
  #markBefore({ id, row }: IdentifiedWrite): string | undefined {
    const { replica } = this.#context
    const trace = replica.trace(row, id)
    if (trace?._tag !== "Applied" && trace?._tag !== "Lost") return undefined
    const { incarnation } = replica.operations.memory()
    return Mark.encode({ incarnation, arrivals: trace.arrival - 1 })
  }

  /** Whether a task waits for the end of what is under way for an operation. */
  #waits({ id, row }: IdentifiedWrite, task: () => void): boolean {
    if (this.#underWay.size === 0) return false
    const underWay = this.#underWay.get(operationName(row, id))
    underWay?.after.set(`request ${++this.#waiting}`, task)
    return underWay !== undefined
  }

  staleMark(): Errors.StaleMark {
    const { node, replica, runtime } = this.#context
    runtime.mark("operations: a mark is stale")
    return new Errors.StaleMark({ node, mark: replica.operations.mark() })
  }

  /**
   * The error that a write ends with where `error` says that it was not applied: that must hold
   * for messages that come later too.
   */
  refusal(write: IdentifiedWrite, error: Errors.StoreError): Errors.StoreError {
    if (error._tag === "StaleMark" || Errors.mayHaveApplied(error)) return error
    const { node, replica } = this.#context
    const verdict = this.judge(write)
    const trace = replica.trace(write.row, write.id)
    if (verdict._tag === "Stale") {
      const { claim: { mark } } = write
      // A fence that this very refusal has set already, as a forwarded write does, says the same.
      const isFenced = trace?._tag === "Fenced" && mark !== undefined
        && Proof.isValid(replica.operations.memory(), mark)
      return isFenced ? error : this.staleMark()
    }
    const isForwarded = trace?._tag === "Forwarded"
    const isProven = verdict._tag === "Do" || (verdict._tag === "Inquire" && verdict.isProven)
    if (!isProven || isForwarded) {
      const nodes = [{ node, reason: error.message }]
      return new Errors.OperationUnknown({ nodes, mayHaveApplied: true })
    }
    // Without a mark, nothing could tell a later message from this one.
    if (write.claim.mark === undefined) return error
    replica.operations.fence(write.row, write.id)
    // An earlier message of the same request may wait for the word of others.
    this.#underWay.get(operationName(write.row, write.id))?.inquiry?.step({ _tag: "Refused" })
    return error
  }

  /** Answers a node that wants to do an operation for which this node was asked. */
  fence(from: NodeId, message: Fence, reply: (message: PeerMessage) => void): void {
    const { counters, node: self, replica, runtime } = this.#context
    const { bucket, id, key, mark } = message
    const row = rowKeyOf({ bucket, key, partitionCount: this.#partitionCount })
    const underWay = this.#underWay.get(operationName(row, id))
    if (underWay?.inquiry !== undefined) {
      if (from > self) {
        runtime.mark("operations: another node gives way")
        underWay.after.set(`node ${from}`, () => this.fence(from, message, reply))
        return reply(this.#fenced(message, { _tag: "Contended" }))
      }
      underWay.inquiry.step({ _tag: "Rival", node: from })
    }
    const trace = replica.trace(row, id)
    const word = Proof.testify(replica.operations.memory(), { trace, mark })
    if (word._tag === "Fenced" || word._tag === "Forwarded") {
      counters.fences++
      replica.operations.fence(row, id)
    }
    reply(this.#fenced(message, word._tag === "Known" ? this.#known(row, message) : word))
  }

  #known(row: RowKey, { id, since }: Fence): Fenced["word"] {
    const { replica } = this.#context
    const local = replica.read(row)
    const entry = replica.operations.find(row, id)
    invariant(
      local._tag === "Found" && entry?._tag === "Applied",
      "an operation that is known has a row and a state"
    )
    const { document } = local
    const { dot } = entry
    const edits = since && replica.edits.since(row, document, since)
    if (edits !== undefined) return { _tag: "KnownSince", edits, dot }
    return { _tag: "Known", document: DocumentCodec.encode(document).bytes, dot }
  }

  #fenced({ mark: asked, request }: Fence, word: Fenced["word"]): Fenced {
    return { _tag: "Fenced", request, asked, mark: this.#context.replica.operations.mark(), word }
  }

  #inquire(
    write: IdentifiedWrite,
    open: OpenRequest<Answer>,
    verdict: Extract<Proof.Verdict, { readonly _tag: "Inquire" }>
  ): void {
    const { runtime } = this.#context
    runtime.mark("operations: others are asked about an operation")
    const name = operationName(write.row, write.id)
    const after = new Map<string, () => void>()
    const serves = this.#serving(open, () => this.#end(name, after))
    const inquiry = new Inquiry(this.#context, {
      write,
      verdict,
      deadline: open.deadline(write.timeoutMillis / 2),
      serves,
      concluded: (outcome) => {
        switch (outcome._tag) {
          case "Known":
          case "Do":
            this.#carryOut(write, open)
            return this.#end(name, after)
          case "GiveWay":
            return this.#await(outcome.to, { write, open, name })
          case "Refused":
            open.answer(this.staleMark())
            return this.#end(name, after)
          case "Unknown":
            open.answer(inquiry.unknown(outcome.nodes))
            return this.#end(name, after)
        }
      }
    })
    this.#underWay.set(name, { inquiry, after })
    inquiry.start()
  }

  /** Waits for the word of the node that inquires instead of this one. */
  #await(
    rival: NodeId,
    { name, open, write }: {
      readonly write: IdentifiedWrite
      readonly open: OpenRequest<Answer>
      readonly name: string
    }
  ): void {
    const { runtime } = this.#context
    runtime.mark("operations: this node gives way")
    const after = this.#underWay.get(name)?.after ?? new Map<string, () => void>()
    this.#underWay.set(name, { inquiry: undefined, after })
    const awaited = new AwaitedRival(this.#context, {
      write,
      rival,
      deadline: open.deadline(write.timeoutMillis),
      serves: this.#serving(open, () => this.#end(name, after)),
      concluded: (isAnswered) => {
        if (!isAnswered) {
          open.answer(awaited.unknown())
          return this.#end(name, after)
        }
        this.#underWay.delete(name)
        this.begin(write, open)
        this.#follow(after)
      }
    })
    awaited.start()
  }

  /** A request whose operation is under way no more when an exception ends it. */
  #serving(open: OpenRequest<Answer>, end: () => void): Served {
    return {
      fail: () => {
        open.fail()
        end()
      }
    }
  }

  /** Ends what is under way with these followers; another one of this name goes on. */
  #end(name: string, after: UnderWay["after"]): void {
    if (this.#underWay.get(name)?.after !== after) return
    this.#underWay.delete(name)
    this.#follow(after)
  }

  #follow(after: ReadonlyMap<string, () => void>): void {
    runEach(after.values(), (task) => task())
  }
}
