/**
 * Carries a script out on three replicas in memory, and keeps all states and deltas.
 */
import * as CausalContext from "../../core/clock/CausalContext.ts"
import { actor, type Dot } from "../../core/clock/Dot.ts"
import * as VersionVector from "../../core/clock/VersionVector.ts"
import * as Document from "../../core/crdt/Document.ts"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import { Incarnation } from "../../core/model/Incarnation.ts"
import { NodeId } from "../../core/model/Names.ts"
import type { LawSubject, Operate, Script, ScriptStep } from "./Script.ts"

/** A state that a replica had, by the name that it has in the lines of a trace. */
export interface State {
  readonly name: string
  readonly document: Document.Document
}

/** One operation: the state it was made on, and its result. */
export interface Operated {
  readonly dot: Dot
  readonly before: State
  readonly delta: Document.Delta
  readonly after: State
}

export interface Trace {
  /** Every state that a replica ever had, the empty one first. */
  readonly states: ReadonlyArray<State>
  readonly operated: ReadonlyArray<Operated>
  /** The story, a line for each step. */
  readonly lines: ReadonlyArray<string>
  /** The exception of the last step; the rest was not carried out. */
  readonly failure: string | undefined
}

const incarnation = Incarnation.make("0".repeat(15))
const nodes = ["n1", "n2", "n3"].map((name) => NodeId.make(name))
/** Less than a script has operations, so that scripts reach it. */
const counterUpdatesMax = 3
/** When a trace begins. */
export const startMillis = 1_700_000_000_000

const empty: State = { name: "s0", document: Document.empty }

interface ScriptedReplica {
  state: State
  /** Of births and dots alike, as on a node. */
  counter: number
  birth: number
}

/** A run of one script, a step at a time. */
class Play {
  readonly states: Array<State> = [empty]
  readonly operated: Array<Operated> = []
  readonly lines: Array<string> = []
  readonly #replicas: ReadonlyArray<ScriptedReplica> = nodes.map(() => ({
    state: empty,
    counter: 1,
    birth: 1
  }))
  readonly #subject: LawSubject

  constructor(subject: LawSubject) {
    this.#subject = subject
  }

  #hold(replica: ScriptedReplica, document: Document.Document): State {
    replica.state = { name: `s${this.states.length}`, document }
    this.states.push(replica.state)
    return replica.state
  }

  operate(step: Operate): void {
    const replica = this.#replicas[step.at]!
    const node = nodes[step.at]!
    const before = replica.state
    const { operations, stampOf } = this.#subject.strategy
    const read = step.seen.map((position) => this.states[position % this.states.length]!)
    const seen = read
      .map(({ document }) => ({ vector: document.context, stamp: stampOf(document) }))
      .reduce(CausalContext.join, CausalContext.nothing)
    const birth = replica.birth
    const dot = { actor: actor({ node, incarnation, birth }), counter: ++replica.counter }
    const nowMillis = startMillis + step.clock
    const mutated = operations.get(step.operation)!.mutate({
      document: before.document,
      dot,
      nowMillis,
      seen: read.length === 0 ? undefined : seen,
      stampSeen: seen.stamp,
      counterUpdatesMax,
      args: step.args.map(CanonicalJson.decode)
    })
    const client = read.map(({ name }) => name).join(" and ")
    const line = `${node}: ${step.operation}(${step.args.join(", ")})`
      + (client === "" ? "" : `, by a client that read ${client}`)
    if (mutated._tag !== "Changed") {
      this.lines.push(`${line}: refused, ${mutated._tag}`)
      return
    }
    const { delta } = mutated
    const after = this.#hold(replica, this.#subject.apply(before.document, delta))
    this.operated.push({ dot, before, delta, after })
    this.lines.push(`${line} -> ${after.name}`)
  }

  deliver(step: { readonly at: number; readonly delta: number }): void {
    const replica = this.#replicas[step.at]!
    const { document } = replica.state
    const operated = this.operated[step.delta % Math.max(this.operated.length, 1)]
    if (operated === undefined) return
    const { after, before, delta } = operated
    if (!VersionVector.covers(document.context, before.document.context)) return
    const state = this.#hold(replica, this.#subject.apply(document, delta))
    this.lines.push(`${nodes[step.at]!}: gets the delta that made ${after.name} -> ${state.name}`)
  }

  join({ at, from }: { readonly at: number; readonly from: number }): void {
    if (at === from) return
    const replica = this.#replicas[at]!
    const other = this.#replicas[from]!.state
    const state = this.#hold(replica, this.#subject.join(replica.state.document, other.document))
    this.lines.push(`${nodes[at]!}: joins ${other.name}, of ${nodes[from]!} -> ${state.name}`)
  }

  /** As a fallback does that delivered a document: its later dots have a new birth. */
  forget({ at }: { readonly at: number }): void {
    const replica = this.#replicas[at]!
    replica.state = empty
    replica.birth = ++replica.counter
    this.lines.push(`${nodes[at]!}: forgets the document`)
  }
}

const carryOut = (running: Play, step: ScriptStep): void => {
  switch (step.act) {
    case "operate":
      return running.operate(step)
    case "deliver":
      return running.deliver(step)
    case "join":
      return running.join(step)
    case "forget":
      return running.forget(step)
  }
}

/** The trace of `script`; the same every time. */
export const play = (subject: LawSubject, script: Script): Trace => {
  const running = new Play(subject)
  let failure: string | undefined
  try {
    for (const step of script) carryOut(running, step)
  } catch (error) {
    failure = `the step after the last threw ${String(error)}`
  }
  const { lines, operated, states } = running
  return { states, operated, lines, failure }
}
