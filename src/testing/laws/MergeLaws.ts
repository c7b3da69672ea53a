/**
 * States the laws of an application merge, so that every order in which replicas meet gives the
 * reader the same value.
 *
 * Merges are tried on values read from canonical JSON, as in service, and compared as the schema
 * compares their results, or as they are stored.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { BucketCode } from "../../core/strategy/BucketCode.ts"
import type { ValueCodec } from "../../core/strategy/ValueCodec.ts"
import { freeze } from "./Freeze.ts"
import * as Law from "./Law.ts"
import * as Values from "./Values.ts"

type Texts = readonly [a: string, b: string, c: string]

/** An application merge, on canonical JSON. */
export interface MergeSubject {
  readonly codec: ValueCodec<any>
  readonly read: (text: string) => unknown
  readonly apply: (left: unknown, right: unknown) => unknown
  /** Throws where the result does not fit the schema. */
  readonly merge: (left: string, right: string) => string
  readonly same: (left: string, right: string) => boolean
}

export const mergeSubjectOf = (
  codec: ValueCodec<any>,
  apply: NonNullable<BucketCode["applicationMerge"]>
): MergeSubject => {
  const read = (text: string): unknown => freeze(Values.valueOf(codec, text))
  const equivalence = Schema.toEquivalence(codec.schema)
  return {
    codec,
    read,
    apply,
    merge: (left, right) => Values.textOf(codec, apply(read(left), read(right))),
    same: (left, right) => left === right || equivalence(read(left), read(right))
  }
}

/** Two expressions over the values that must come out alike. */
type Sides = readonly [left: string, leftValue: string, right: string, rightValue: string]

interface Statement {
  readonly name: string
  /** How many of the values it is about. */
  readonly count: 1 | 2 | 3
  readonly sides: (merge: MergeSubject["merge"], texts: Texts) => Sides
}

const statements: ReadonlyArray<Statement> = [
  {
    name: "merge is deterministic",
    count: 2,
    sides: (merge, [a, b]) => ["merge(a, b)", merge(a, b), "merge(a, b) again", merge(a, b)]
  },
  {
    name: "merge is commutative",
    count: 2,
    sides: (merge, [a, b]) => ["merge(a, b)", merge(a, b), "merge(b, a)", merge(b, a)]
  },
  {
    name: "merge is idempotent",
    count: 1,
    sides: (merge, [a]) => ["merge(a, a)", merge(a, a), "a", a]
  },
  {
    name: "merge is absorbing",
    count: 2,
    sides: (merge, [a, b]) => {
      const both = merge(a, b)
      return ["merge(a, merge(a, b))", merge(a, both), "merge(a, b)", both]
    }
  },
  {
    name: "merge is associative",
    count: 3,
    sides: (merge, [a, b, c]) => [
      "merge(merge(a, b), c)",
      merge(merge(a, b), c),
      "merge(a, merge(b, c))",
      merge(a, merge(b, c))
    ]
  }
]

const show = (texts: ReadonlyArray<string>): string =>
  texts.map((text, i) => `${"abcde"[i]} = ${text}`).join("\n")

/** Values, all pooled or none. */
const pooledAlike = <T extends ReadonlyArray<string>>(
  codec: ValueCodec<any>,
  texts: Arbitrary.Arbitrary<T>,
  each: (texts: T, change: (text: string) => string) => T
): Arbitrary.Arbitrary<T> =>
  Arbitrary.map(
    Arbitrary.all({ pooled: Values.mostly, texts }),
    ({ pooled, texts }) => pooled ? each(texts, (text) => Values.pooled(codec, text)) : texts
  )

const triples = (codec: ValueCodec<any>, count: 1 | 2 | 3): Arbitrary.Arbitrary<Texts> => {
  const stored = Values.stored(codec)
  const unused = Arbitrary.Constant("null")
  return pooledAlike<Texts>(
    codec,
    Arbitrary.all([stored, count > 1 ? stored : unused, count > 2 ? stored : unused]),
    ([a, b, c], change) => [change(a), change(b), change(c)]
  )
}

const equal = (subject: MergeSubject, { name, count, sides }: Statement): Law.Law =>
  Law.make<Texts>(name, {
    inputs: () => triples(subject.codec, count),
    problem: (texts) => {
      const [left, leftValue, right, rightValue] = sides(subject.merge, texts)
      const alike = subject.same(leftValue, rightValue)
      return alike ? undefined : `${left} = ${leftValue}\n${right} = ${rightValue}`
    },
    show: (texts) => show(texts.slice(0, count))
  })

/** Changing a frozen value throws; changing a Map or Set shows in its JSON. */
const pure = ({ codec, read, apply }: MergeSubject): Law.Law =>
  Law.make<Texts>("merge leaves its inputs as they are", {
    inputs: () => triples(codec, 2),
    problem: ([a, b]) => {
      const [left, right] = [read(a), read(b)]
      apply(left, right)
      const after = [Values.textOf(codec, left), Values.textOf(codec, right)]
      return after[0] === a && after[1] === b ? undefined : `after merge(a, b)\n${show(after)}`
    },
    show: (texts) => show(texts.slice(0, 2))
  })

const closed = ({ codec, merge }: MergeSubject): Law.Law =>
  Law.make<Texts>("merge gives values that fit the schema", {
    inputs: () => triples(codec, 2),
    problem: ([a, b]) => {
      const result = merge(a, b)
      const again = Values.textOf(codec, Values.valueOf(codec, result))
      return again === result ? undefined : `merge(a, b) = ${result}, which is read as ${again}`
    },
    show: (texts) => show(texts.slice(0, 2))
  })

const siblingsMax = 5

const foldOrder = (
  { codec, same }: MergeSubject,
  fold: NonNullable<BucketCode["merge"]>
): Law.Law =>
  Law.make<ReadonlyArray<string>>("siblings merge alike in every order", {
    inputs: () =>
      pooledAlike<ReadonlyArray<string>>(
        codec,
        Arbitrary.array(Values.stored(codec), { minLength: 1, maxLength: siblingsMax }),
        (texts, change) => texts.map(change)
      ),
    problem: (texts) => {
      const inOrder = fold(texts)
      const [first, ...rest] = texts
      for (const order of [texts.toReversed(), [...rest, first!]]) {
        const other = fold(order)
        if (!same(inOrder, other)) return `in order: ${inOrder}\nas\n${show(order)}\n: ${other}`
      }
      return undefined
    },
    show
  })

/** The laws of a bucket's application merge; none where it has no such function. */
export const mergeLaws = (codec: ValueCodec<any>, code: BucketCode): ReadonlyArray<Law.Law> => {
  if (code.applicationMerge === undefined || code.merge === undefined) return []
  const subject = mergeSubjectOf(codec, code.applicationMerge)
  return [
    pure(subject),
    closed(subject),
    ...statements.map((statement) => equal(subject, statement)),
    foldOrder(subject, code.merge)
  ]
}
