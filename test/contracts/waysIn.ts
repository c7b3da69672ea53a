/**
 * The contract of every way into a store: one input is stored as one document, or refused by one
 * error with one path, whether a program gives values or a person types text.
 */
import * as Schema from "effect/Schema"
import { expect, it } from "vitest"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"

/** A key as a program has it and as it is typed. */
export interface InputKey {
  readonly value: unknown
  readonly text: string
}

/** One write. */
export interface Input {
  readonly bucket: Any
  /** Of its own for each way, unless it is given. */
  readonly key?: Partial<InputKey>
  /** `put`, or an operation of a data type. */
  readonly operation: string
  /** The arguments as a program gives them; absent where only a text can say them. */
  readonly values?: ReadonlyArray<unknown>
  /** The same as texts of JSON; absent where only a program can give them. */
  readonly texts?: ReadonlyArray<string>
  /** `stored`, with the canonical text, or `refused`, with the error's tag and path. */
  readonly expected: string
}

/** An input with the key under which one way writes it. */
export interface KeyedInput extends Omit<Input, "key"> {
  readonly key: Partial<InputKey>
}

export interface WayIn {
  /** Whether it takes values of a program, or texts. */
  readonly takes: "values" | "texts"
  /** Writes all, and gives for each the stored text or the refusal. */
  readonly write: (inputs: ReadonlyArray<KeyedInput>) => Promise<ReadonlyArray<string>>
}

const value = Schema.Json
const json = Bucket.lww("json", { key: Key.text, value })
const any = Bucket.lww("any", { key: Key.text, value: Schema.Any })
/** A property that must be there and may hold anything, so nothing also. */
const whole = Bucket.lww("whole", { key: Key.text, value: Schema.Struct({ a: Schema.Any }) })
const people = Bucket.lww("people", {
  key: Key.text,
  value: Schema.Struct({
    name: Schema.String,
    born: Schema.optionalKey(Schema.Date),
    pets: Schema.Array(Schema.Union([
      Schema.Struct({ cat: Schema.String }),
      Schema.Struct({ cat: Schema.String, age: Schema.Int })
    ]))
  })
})
const structs = Bucket.crdt("structs", {
  key: Key.text,
  type: Crdt.set(Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.Date) }))
})
const dropping = Bucket.crdt("dropping", {
  key: Key.text,
  type: Crdt.map(Crdt.document({ drop: Crdt.counter, constructor: Crdt.set(Schema.String) }))
})
const nullable = Bucket.crdt("nullable", {
  key: Key.text,
  type: Crdt.register(Schema.NullOr(Schema.String))
})
/** A counter in so many documents, each with one field. */
const nested = (levels: number): Crdt.CrdtType<any, Crdt.Operations> =>
  levels === 0 ? Crdt.counter : Crdt.document({ f: nested(levels - 1) })
const deep = Bucket.crdt("deep", {
  key: Key.text,
  type: Crdt.document({ f: nested(6) })
})
const days = Bucket.lww("days", {
  key: Key.make({ partition: { day: Schema.Date }, sort: { n: Schema.Int } }),
  value
})

export const contractBuckets: ReadonlyArray<Any> = [
  json,
  any,
  people,
  whole,
  structs,
  dropping,
  nullable,
  deep,
  days
]

const put = (bucket: Any, input: Omit<Partial<Input>, "operation" | "bucket">): Input => ({
  expected: "",
  ...input,
  bucket,
  operation: "put"
})

const refused = (at: string) => `refused InvalidValue ${at}`
const epoch = new Date(0)

/** A key of days as a program has it and as it is typed. */
const day = (text: string, day?: Date): Partial<InputKey> =>
  day === undefined ? { text } : { text, value: { day, n: 1 } }

const numbers: ReadonlyArray<Input> = [
  put(json, {
    values: [{ b: [1e21, 1.5e300, -0], a: 2 ** 53 }],
    texts: [`{"b":[1E21,150e298,-0.0],"a":9007199254740992}`],
    expected: `stored {"a":9007199254740992,"b":[1e+21,1.5e+300,0]}`
  }),
  put(json, {
    values: [[0.1, 1e-7, 5e-324]],
    texts: ["[0.1000000000000000055511151231257827, 0.0000001, 4.9e-324]"],
    expected: "stored [0.1,1e-7,5e-324]"
  }),
  put(json, { values: [{ a: [Infinity] }], texts: [`{"a":[1e400]}`], expected: refused("$.a[0]") }),
  put(any, { values: [{ a: NaN }], texts: [`{"a":1e-400}`], expected: refused("$.a") }),
  put(json, { texts: [`{"a":9007199254740993}`], expected: refused("$.a") }),
  put(json, { texts: ["-9007199254740993"], expected: refused("$") }),
  put(json, { texts: [`{"a":1,"\\u0061":2,"a":3}`], expected: `stored {"a":3}` }),
  put(json, { texts: [`{"a":3,"\\u0061":4}`], expected: `stored {"a":4}` })
]

const values: ReadonlyArray<Input> = [
  put(any, { values: [{ a: new Map([[1, 2]]) }], expected: refused("$.a") }),
  put(any, { values: [{ at: [epoch] }], expected: refused("$.at[0]") }),
  put(json, { values: [{ a: [new Set()] }], expected: refused("$.a[0]") }),
  put(any, { values: [[undefined]], expected: refused("$[0]") }),
  put(whole, { values: [{ a: undefined }], texts: ["{}"], expected: refused("$.a") }),
  put(any, { values: [{ a: undefined }], texts: ["{}"], expected: "stored {}" }),
  put(any, { values: [{ a: "\ud800" }], texts: [`{"a":"\\ud800"}`], expected: refused("$.a") }),
  put(json, { texts: [`{"a":{"__proto__":1}}`], expected: refused("$.a") }),
  put(people, {
    values: [{ pets: [{ cat: "Tom", age: 3 }], born: epoch, name: "Ada" }],
    texts: [`{"pets":[{"cat":"Tom","age":3.0}],"born":"1970-01-01","name":"Ada"}`],
    expected: `stored {"born":"1970-01-01T00:00:00.000Z","name":"Ada",`
      + `"pets":[{"age":3,"cat":"Tom"}]}`
  }),
  put(people, {
    values: [{ name: "Ada", pets: [], extra: 1 }],
    texts: [`{"name":"Ada","pets":[],"extra":1}`],
    expected: refused("$.extra")
  }),
  put(people, {
    values: [{ name: 7, pets: [] }],
    texts: [`{"name":7,"pets":[]}`],
    expected: refused("$.name")
  }),
  put(people, {
    values: [{ name: "Ada", pets: [], born: new Date(NaN) }],
    texts: [`{"name":"Ada","pets":[],"born":"nope"}`],
    expected: refused("$.born")
  })
]

const operations: ReadonlyArray<Input> = [
  {
    bucket: structs,
    operation: "add",
    values: [{ a: 1, b: epoch }],
    texts: [`{"b":"1970-01-01","a":1}`],
    expected: `stored [{"a":1,"b":"1970-01-01T00:00:00.000Z"}]`
  },
  {
    bucket: structs,
    operation: "add",
    values: [{ a: 1, c: 3 }],
    texts: [`{"a":1,"c":3}`],
    expected: refused("$[0].c")
  },
  {
    bucket: dropping,
    operation: "inner.drop.add",
    values: ["__proto__", 2],
    texts: [`"__proto__"`, "2.0"],
    expected: `stored {"__proto__":{"constructor":[],"drop":2}}`
  },
  {
    bucket: dropping,
    operation: "inner.constructor.add",
    values: ["{\"a\": 1}", "x"],
    texts: [`"{\\"a\\": 1}"`, `"x"`],
    expected: `stored {"{\\"a\\": 1}":{"constructor":["x"],"drop":0}}`
  },
  {
    bucket: dropping,
    operation: "inner.drop.add",
    values: ["k", 0.5],
    texts: [`"k"`, "0.5"],
    expected: refused("$[1]")
  },
  {
    bucket: dropping,
    operation: "inner.drop.add",
    texts: [`"k"`, "9007199254740993"],
    expected: refused("$[1]")
  },
  {
    bucket: nullable,
    operation: "set",
    values: [null],
    texts: ["null"],
    expected: "stored null"
  },
  {
    bucket: deep,
    operation: "f.f.f.f.f.f.f.add",
    values: [1],
    texts: ["1"],
    expected: `stored {"f":{"f":{"f":{"f":{"f":{"f":{"f":1}}}}}}}`
  }
]

const keys: ReadonlyArray<Input> = [
  put(days, {
    key: day(`{"n":1.0,"day":"1970-01-01"}`, epoch),
    values: ["same"],
    texts: [`"same"`],
    expected: `stored "same" under {"day":"1970-01-01T00:00:00.000Z","n":1}`
  }),
  put(days, {
    key: day(`{"n":1,"day":"nope"}`, new Date(NaN)),
    values: [1],
    texts: ["1"],
    expected: "refused InvalidKey"
  }),
  put(days, {
    key: day(`{"n":9007199254740993,"day":"1970-01-01"}`),
    texts: ["1"],
    expected: "refused InvalidKey"
  }),
  put(days, {
    key: { text: `{"n":1,"day":"1970-01-01","x":1}`, value: { n: 1, day: epoch, x: 1 } },
    values: [1],
    texts: ["1"],
    expected: "refused InvalidKey"
  }),
  ...[`{"n":1.0}`, `{ "a": 1 }`, "al%FF", "1e400", "\"x\"", "a+b c&d=#é\u{1f600}"].map((text) =>
    put(json, {
      key: { text, value: text },
      values: [text],
      texts: [JSON.stringify(text)],
      expected: `stored ${JSON.stringify(text)} under ${JSON.stringify(text)}`
    })
  )
]

export const inputs: ReadonlyArray<Input> = [...numbers, ...values, ...operations, ...keys]

/** What a test's failure shows of an input. */
const titleOf = ({ bucket, key, operation, texts, values }: Input): string =>
  `${bucket.name}.${operation} ${key?.text ?? ""} ${texts?.join(" ") ?? String(values?.[0])}`

/** A command is a process: many take long on a machine that has other work. */
export const withinMillis = 180_000

/** Runs the contract on one way. */
export const checkWayIn = (name: string, open: () => WayIn): void => {
  it("stores or refuses each input as every other way does", async () => {
    const way = open()
    const given = inputs.filter((input) =>
      input[way.takes] !== undefined
      && (input.key === undefined
        || input.key[way.takes === "values" ? "value" : "text"] !== undefined)
    )
    const keyed = given.map((input, index) => {
      const key = `${name} ${index}`
      return { ...input, key: input.key ?? { value: key, text: key } }
    })
    const outcomes = await way.write(keyed)
    const shown = (outcomeOf: (index: number) => string | undefined) =>
      given.map((input, index) => `${titleOf(input)}: ${outcomeOf(index)}`)
    expect(shown((index) => outcomes[index])).toEqual(shown((index) => given[index]!.expected))
  }, withinMillis)
}
