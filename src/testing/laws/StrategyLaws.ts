/**
 * States the laws of every strategy, so that order, repetition and loss of messages cannot matter:
 * the laws of a join-semilattice, and that operations and deltas keep to it.
 *
 * States are compared by their canonical bytes.
 */
import * as VersionVector from "../../core/clock/VersionVector.ts"
import type { Document } from "../../core/crdt/Document.ts"
import * as DocumentCodec from "../../core/crdt/DocumentCodec.ts"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import type { Mutation } from "../../core/strategy/Strategy.ts"
import { freeze } from "./Freeze.ts"
import { type LawSubject, type Script, scripts } from "./Script.ts"
import * as Law from "./Law.ts"
import { type Operated, play, startMillis, type State, type Trace } from "./Trace.ts"

const bytesOf = (document: Document): string =>
  Buffer.from(DocumentCodec.encode(document).bytes).toString("latin1")

/** Documents, deltas and traces as JSON, Maps as objects. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => part instanceof Map ? Object.fromEntries(part) : part)

/** A state as JSON; all actors of a trace are in their first incarnation, which is left out. */
const show = ({ document, name }: State): string =>
  `${name} = ${json(document).replaceAll(/\.0{15}\.(?=\d+")/g, ".")}`

const unequal = (left: State, right: State): string | undefined =>
  bytesOf(left.document) === bytesOf(right.document) ? undefined : `${show(left)}\n${show(right)}`

const joined = ({ join }: LawSubject) => (left: State, right: State): State => ({
  name: `join(${left.name}, ${right.name})`,
  document: join(left.document, right.document)
})

const applied = ({ apply }: LawSubject) => (state: State, { after, delta }: Operated): State => ({
  name: `apply(${state.name}, the delta that made ${after.name})`,
  document: apply(state.document, delta)
})

/** How the trace of a script breaks a law, or undefined. */
type Problem = (trace: Trace, subject: LawSubject, script: Script) => string | undefined

const firstOf = <A>(
  items: Iterable<A>,
  problem: (item: A) => string | undefined
): string | undefined => {
  for (const item of items) {
    const found = problem(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** Of all states, this many are joined with one another: the last with different contexts. */
const samplesMax = 6

const samples = ({ states }: Trace): ReadonlyArray<State> => {
  const found: Array<State> = []
  for (const state of states.toReversed()) {
    const { context } = state.document
    const isNew = found.every(({ document }) =>
      VersionVector.compare(document.context, context) !== "equal"
    )
    if (isNew && found.push(state) === samplesMax) break
  }
  return found
}

const pairs = (trace: Trace): ReadonlyArray<readonly [State, State]> => {
  const states = samples(trace)
  return states.flatMap((a, i) => states.slice(i + 1).map((b) => [a, b] as const))
}

const commutative: Problem = (trace, subject) => {
  const join = joined(subject)
  return firstOf(pairs(trace), ([a, b]) => unequal(join(a, b), join(b, a)))
}

const associative: Problem = (trace, subject) => {
  const join = joined(subject)
  const states = samples(trace)
  return firstOf(pairs(trace), ([a, b]) => {
    const both = join(a, b)
    return firstOf(states, (c) => unequal(join(both, c), join(a, join(b, c))))
  })
}

const idempotent: Problem = (trace, subject) => {
  const join = joined(subject)
  return firstOf(pairs(trace), ([a, b]) => {
    const both = join(a, b)
    return unequal(join(a, a), a) ?? unequal(join(a, both), both)
  })
}

const inflating: Problem = ({ operated }, subject) =>
  firstOf(operated, (operation) => {
    const { after, before, dot } = operation
    return VersionVector.contains(after.document.context, dot.actor, dot.counter)
      ? unequal(joined(subject)(after, before), after)
        ?? unequal(applied(subject)(after, operation), after)
      : `the context lacks ${dot.actor} ${dot.counter}, the operation's dot, in ${show(after)}`
  })

const deltasAreStates: Problem = (trace, subject) => {
  const receivers = samples(trace)
  return firstOf(trace.operated, (operation) => {
    const { after, before } = operation
    const ready = receivers.filter(({ document }) =>
      VersionVector.covers(document.context, before.document.context)
    )
    return firstOf(
      ready,
      (receiver) => unequal(applied(subject)(receiver, operation), joined(subject)(receiver, after))
    )
  })
}

const encodable: Problem = ({ states }, { strategy }) =>
  firstOf(states, (state) => {
    const document = DocumentCodec.decode(DocumentCodec.encode(state.document).bytes)
    const views = [state.document, document].map((one) => json(strategy.view(one, startMillis)))
    return unequal({ name: `${state.name}, written and read,`, document }, state)
      ?? (views[0] === views[1] ? undefined : `views ${views.join(" and then ")} of ${show(state)}`)
  })

const contextsTell: Problem = (trace, subject) => {
  const unions = pairs(trace).map(([a, b]) => joined(subject)(a, b))
  const known = new Map<string, State>()
  return firstOf([...trace.states, ...unions], (state) => {
    const context = JSON.stringify(VersionVector.sorted(state.document.context))
    const other = known.get(context)
    if (other === undefined) {
      known.set(context, state)
      return undefined
    }
    const digests = [other, state].map(({ document }) => DocumentCodec.encode(document).digest)
    return digests[0] === digests[1] ? undefined : `${show(other)}\n${show(state)}`
  })
}

const deterministic: Problem = (trace, subject, script) => {
  const [once, again] = [trace, play(subject, script)].map(json)
  return once === again ? undefined : `once: ${once}\nthen: ${again}`
}

/** Calls `change`, and says so if it changed any of `inputs`. */
const watched = <A>(what: string, inputs: ReadonlyArray<unknown>, change: () => A): A => {
  const before = json(inputs)
  inputs.forEach(freeze)
  const result = change()
  const after = json(inputs)
  if (before !== after) throw new Error(`${what} changed ${before} to ${after}`)
  return result
}

/** A mutation of a frozen value throws; one inside a Map shows in its JSON. */
const pure: Problem = (_, subject, script) => {
  const { strategy, join, apply } = subject
  const operations = [...strategy.operations].map(([name, operation]) =>
    [name, {
      ...operation,
      mutate: (mutation: Mutation) => watched(name, [mutation], () => operation.mutate(mutation))
    }] as const
  )
  const watching: LawSubject = {
    ...subject,
    strategy: { ...strategy, operations: new Map(operations) },
    join: (left, right) => watched("join", [left, right], () => join(left, right)),
    apply: (document, delta) => watched("apply", [document, delta], () => apply(document, delta))
  }
  return play(watching, script).failure
}

const viewsFit: Problem = ({ states }, { decodeView, strategy }) =>
  firstOf(states, (state) => {
    const { values } = strategy.view(state.document, startMillis)
    try {
      if (values.length > 0) decodeView(values.map(CanonicalJson.decode))
      return undefined
    } catch (error) {
      return `the view ${values.join(", ")} is refused, ${String(error)}, of ${show(state)}`
    }
  })

const problems: Readonly<Record<string, Problem>> = {
  "operations and joins leave their inputs as they are": pure,
  "operations and joins are deterministic": deterministic,
  "join is commutative": commutative,
  "join is associative": associative,
  "join is idempotent": idempotent,
  "every operation is an inflation": inflating,
  "a delta does the same as the whole state": deltasAreStates,
  "documents survive encoding": encodable,
  "equal contexts mean equal states": contextsTell,
  "views fit the schema": viewsFit
}

export const strategyLaws = (subject: LawSubject): ReadonlyArray<Law.Law> =>
  Object.entries(problems).map(([name, problem]) =>
    Law.make<Script>(name, {
      inputs: () => scripts(subject),
      problem: (script) => {
        const trace = play(subject, script)
        return trace.failure ?? problem(trace, subject, script)
      },
      show: (script) => play(subject, script).lines.join("\n")
    })
  )
