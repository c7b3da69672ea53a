/**
 * States that keys and the values that operations take are read as they were written.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { InvalidJson } from "../../core/model/CanonicalJson.ts"
import { MalformedKey } from "../../core/model/DocumentKey.ts"
import { decodeKey, encodeKey } from "../../core/model/KeyFields.ts"
import type { Key } from "../../core/strategy/Key.ts"
import { SchemaMismatch, type ValueCodec } from "../../core/strategy/ValueCodec.ts"
import * as Law from "./Law.ts"
import * as Values from "./Values.ts"

/** A schema may allow values that no document can hold; writing refuses those, so none is lost. */
const isRefusal = (error: unknown): boolean =>
  error instanceof InvalidJson || error instanceof MalformedKey || error instanceof SchemaMismatch

interface Format<A> {
  readonly codec: ValueCodec<A>
  readonly write: (value: A) => string
  readonly read: (text: string) => A
}

const lost = <A>({ codec, write, read }: Format<A>) => {
  const equivalence = Schema.toEquivalence(codec.schema)
  return (value: A): string | undefined => {
    let text: string
    try {
      text = write(value)
    } catch (error) {
      if (isRefusal(error)) return undefined
      throw error
    }
    const back = read(text)
    const again = write(back)
    if (again !== text) return `${text} is read as ${again}`
    return equivalence(value, back) ? undefined : `${text} is read as another value`
  }
}

const shown = (codec: ValueCodec<any>, value: unknown): string =>
  JSON.stringify(codec.encode(value))

const documentKey = Schema.decodeSync(
  Schema.fromJsonString(Schema.Struct({ partition: Schema.String, sort: Schema.String }))
)

/** A key is read as it was written. */
export const keyLaw = <K>(key: Key<K>): Law.Law =>
  Law.make("keys survive encoding", {
    inputs: () => Values.raw(key.codec),
    problem: lost({
      codec: key.codec,
      write: (value) => JSON.stringify(encodeKey(key.definition, key.codec.encode(value))),
      read: (text) => key.codec.decode(decodeKey(key.definition, documentKey(text)))
    }),
    show: (value) => shown(key.codec, value)
  })

/** So is a value; `codecs` are those of all operations. */
export const valueLaw = (codecs: ReadonlyArray<ValueCodec<any>>): Law.Law => {
  const problems = codecs.map((codec) =>
    lost<unknown>({
      codec,
      write: (value) => Values.textOf(codec, value),
      read: (text) => Values.valueOf(codec, text)
    })
  )
  return Law.make<ReadonlyArray<unknown>>("values survive encoding", {
    inputs: () => Arbitrary.all(codecs.map(Values.raw)),
    problem: (values) =>
      problems.map((problem, i) => problem(values[i])).find((p) => p !== undefined),
    show: (values) => codecs.map((codec, i) => shown(codec, values[i])).join("\n")
  })
}
