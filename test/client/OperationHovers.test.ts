// Checks what an editor shows over each method of a handle, of a bucket of each kind: the outcome
// and the errors in words, and a display text without types that nobody wrote.
import { afterAll, beforeAll, expect, it } from "vitest"
import { QuickInfo } from "../tooling/quickInfo.ts"

const declared = `
import * as Schema from "effect/Schema"
import { Bucket, connect, Crdt, Key } from "everwrite"
const key = Key.text
const Profiles = Bucket.lww("profiles", { key, value: Schema.Struct({ name: Schema.String }) })
const Notes = Bucket.siblings("notes", { key, value: Schema.String })
const Scores = Bucket.merge("scores", { key, value: Schema.Int, merge: Math.max })
const Visits = Bucket.crdt("visits", { key, type: Crdt.counter })
const Tags = Bucket.crdt("tags", { key, type: Crdt.set(Schema.String) })
const Labels = Bucket.crdt("labels", { key, type: Crdt.register(Schema.String) })
const Stock = Bucket.crdt("stock", { key, type: Crdt.map(Crdt.counter) })
const Shops = Bucket.crdt("shops", { key, type: Crdt.map(Crdt.map(Crdt.set(Schema.String))) })
const Carts = Bucket.crdt("carts", {
  key,
  type: Crdt.document({ lines: Crdt.map(Crdt.counter), coupon: Crdt.register(Schema.String) })
})
const db = await connect(
  {
    profiles: Profiles,
    notes: Notes,
    scores: Scores,
    visits: Visits,
    tags: Tags,
    labels: Labels,
    stock: Stock,
    shops: Shops,
    carts: Carts
  },
  { servers: "nats://127.0.0.1:4222" }
)
`

const common = ["get", "entry", "many", "delete"]

/** The methods of each handle besides the common ones. */
const methods: Readonly<Record<string, ReadonlyArray<string>>> = {
  profiles: ["put"],
  notes: ["replace", "update"],
  scores: ["replace", "update"],
  visits: ["edit", "add"],
  tags: ["edit", "add", "remove"],
  labels: ["edit", "set", "clear"],
  stock: ["edit", "add", "drop"],
  shops: ["edit", "inner.add", "inner.remove", "inner.drop", "drop"],
  carts: ["edit", "lines.add", "lines.drop", "coupon.set", "coupon.clear"]
}

const names = Object.entries(methods).flatMap(([bucket, own]) =>
  [...common, ...own].map((method) => `db.${bucket}.${method}`)
)

/** Operations in an edit, which have no key. */
const edits = [
  "db.visits.edit(\"k\", (visits) => [visits.add",
  "db.tags.edit(\"k\", (tags) => [tags.remove",
  "db.labels.edit(\"k\", (label) => [label.clear",
  "db.carts.edit(\"k\", (cart) => [cart.lines.add",
  "db.carts.edit(\"k\", (cart) => [cart.lines.drop",
  "db.carts.edit(\"k\", (cart) => [cart.coupon.set"
]

const others = ["db.close", "db.status"]

/** Each with its last name marked. */
const code = declared
  + [...names, ...edits, ...others].map((call) => {
    const rest = call.includes("[") ? "()])" : ""
    return `${call}${rest}\n//${" ".repeat(call.length - 3)}^`
  }).join("\n")

/** The types that the program declared itself, as the text repeats them. */
const own = [
  /(?<=\(document: )\w+<\{.*\}(, \w+)?>(?=\) =>)/gu,
  /\{ readonly lines: ReadonlyMap<string, number>; readonly coupon: string \| undefined; \}/gu,
  /\{ readonly name: string; \}/gu,
  /readonly \[string, \.\.\.string\[\]\]/gu,
  /ReadonlyMap<string, (number|ReadonlyMap<string, ReadonlySet<string>>)>/gu
]

const service = new QuickInfo()
beforeAll(() => service.open())
afterAll(() => service.close())

interface Shown {
  readonly call: string
  readonly display: string
  readonly words: string
}

it("each operation of each kind of bucket has words, its errors, and a short text", async () => {
  const texts = await service.over(code)
  expect(texts).toHaveLength(names.length + edits.length + others.length)
  const shown = texts.map((text, index): Shown => {
    const [, display = "", words = ""] = /^```typescript\n([^]*?)\n```([^]*)$/u.exec(text) ?? []
    const flat = own.reduce(
      (rest, type) => rest.replaceAll(type, "Own"),
      display.replaceAll(/\s+/gu, " ")
    )
    return { call: [...names, ...edits, ...others][index]!, display: flat, words: words.trim() }
  })
  expect(shown.filter(({ words }) => words.length < 30)).toEqual([])
  expect(shown.filter(({ display }) => !display.startsWith("(property) "))).toEqual([])
  expect(shown.filter(({ display }) => display.length > 200)).toEqual([])
  const asking = shown.filter(({ call }) => !others.includes(call))
  expect(asking.filter(({ words }) => !words.includes("**Fails"))).toEqual([])
})
