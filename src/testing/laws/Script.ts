/**
 * Generates events on one document at three replicas, and carries them out: operations with and
 * without a client's context, deltas late and repeated, states in one direction, and replicas that
 * forget.
 *
 * The results are exactly the states that a cluster can hold, so a law is tried on no others.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Document from "../../core/crdt/Document.ts"
import type * as Bucket from "../../core/strategy/Bucket.ts"
import type { ArgumentCodecs } from "../../core/strategy/BucketCode.ts"
import * as Strategies from "../../core/strategy/Strategies.ts"
import type { Strategy } from "../../core/strategy/Strategy.ts"
import type { ValueCodec } from "../../core/strategy/ValueCodec.ts"
import * as Values from "./Values.ts"

/** The subject of the laws. A test replaces a function of it, to see a law fail. */
export interface LawSubject {
  readonly strategy: Strategy
  readonly arguments: ArgumentCodecs
  readonly decodeView: (values: ReadonlyArray<unknown>) => unknown
  readonly join: (left: Document.Document, right: Document.Document) => Document.Document
  readonly apply: (document: Document.Document, delta: Document.Delta) => Document.Document
}

export const subjectOf = (bucket: Bucket.Any): LawSubject => ({
  strategy: Strategies.make(bucket.definition.strategy),
  arguments: bucket.code.arguments,
  decodeView: bucket.code.decodeView,
  join: Document.join,
  apply: Document.apply
})

export interface Operate {
  readonly act: "operate"
  readonly at: number
  readonly operation: string
  /** Canonical JSON. */
  readonly args: ReadonlyArray<string>
  /** The states that the client read; none, if it sends no context. */
  readonly seen: ReadonlyArray<number>
  readonly clock: number
}

/** States and deltas are named by their position in the script, modulo how many there are. */
export type ScriptStep =
  | Operate
  | { readonly act: "deliver"; readonly at: number; readonly delta: number }
  | { readonly act: "join"; readonly at: number; readonly from: number }
  | { readonly act: "forget"; readonly at: number }

export type Script = ReadonlyArray<ScriptStep>

const replicaCount = 3
const stepsMax = 10
const paletteSize = 3

type Palette = ReadonlyMap<ValueCodec<any>, ReadonlyArray<string>>

/** A step whose arguments are yet to be taken from the palette. */
type Draft = (palette: Palette) => ScriptStep

const below = (count: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 })))

const position = below(1000)
const at = below(replicaCount)

/** A few values for each argument, so that a script comes back to values that it touched. */
const palette = (codecs: ReadonlyArray<ValueCodec<any>>): Arbitrary.Arbitrary<Palette> =>
  Arbitrary.map(
    Arbitrary.all(codecs.map((codec) => {
      const stored = Values.stored(codec)
      return Arbitrary.all([stored, stored, stored])
    })),
    (texts) => new Map(codecs.map((codec, i) => [codec, texts[i]!] as const))
  )

const operate = (subject: LawSubject, operation: string): Arbitrary.Arbitrary<Draft> => {
  const codecs = subject.arguments.get(operation) ?? []
  const parts = {
    at,
    picks: Arbitrary.all(codecs.map(() => below(paletteSize))),
    seen: Arbitrary.array(position, { maxLength: 2 }),
    clock: below(4)
  }
  return Arbitrary.map(Arbitrary.all(parts), ({ picks, ...rest }) => (palette) => ({
    act: "operate",
    operation,
    args: codecs.map((codec, i) => palette.get(codec)![picks[i]!]!),
    ...rest
  }))
}

/** The same chance for each; the first is the simplest. */
const oneOf = <A>(choices: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(below(choices.length), (index) => choices[index]!)

const drafts = (subject: LawSubject): Arbitrary.Arbitrary<ReadonlyArray<Draft>> => {
  const names = [...subject.strategy.operations.keys()]
  const operation = oneOf(names.map((name) => operate(subject, name)))
  const join = Arbitrary.map(
    Arbitrary.all({ at, from: at }),
    (positions): Draft => () => ({ act: "join", ...positions })
  )
  const deliver = Arbitrary.map(
    Arbitrary.all({ at, delta: position }),
    (positions): Draft => () => ({ act: "deliver", ...positions })
  )
  const forget = Arbitrary.map(at, (at): Draft => () => ({ act: "forget", at }))
  const operations = [operation, operation, operation, operation]
  const step = oneOf([...operations, join, join, deliver, deliver, forget])
  // Generated arrays are mostly short; several in a row make a script of about ten steps.
  const part = Arbitrary.array(step, { maxLength: stepsMax })
  return Arbitrary.map(Arbitrary.all([part, part, part, part, part]), (parts) => parts.flat())
}

/** Histories of a strategy. Throws where an argument's schema has no generator. */
export const scripts = (subject: LawSubject): Arbitrary.Arbitrary<Script> =>
  Arbitrary.map(
    Arbitrary.all({
      palette: palette([...new Set([...subject.arguments.values()].flat())]),
      drafts: drafts(subject)
    }),
    ({ palette, drafts }) => drafts.map((draft) => draft(palette))
  )
