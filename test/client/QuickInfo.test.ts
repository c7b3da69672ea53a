// Checks what an editor shows over buckets, handles, operations and entries: plain types, with the
// words that say what each is for.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { QuickInfo } from "../tooling/quickInfo.ts"

const declared = `
import * as Schema from "effect/Schema"
import { Bucket, connect, Crdt, Key } from "everwrite"
const Carts = Bucket.crdt("carts", {
  key: Key.text,
  type: Crdt.document({ lines: Crdt.map(Crdt.counter), coupon: Crdt.register(Schema.String) })
})
const Profiles = Bucket.lww("profiles", {
  key: Key.make({ partition: { tenant: Schema.String }, sort: { id: Schema.String } }),
  value: Schema.Struct({ name: Schema.String })
})
const Notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })
const db = await connect(
  { carts: Carts, profiles: Profiles, notes: Notes },
  { servers: "nats://127.0.0.1:4222" }
)
`
const view = "{ readonly lines: ReadonlyMap<string, number>; readonly coupon: string | undefined; }"
const cart = `Entry<"carts", string, ${view}>`
const key = "{ readonly id: string; readonly tenant: string; }"

const inOneLine = (text: string): string =>
  text.replace(/```(typescript)?/gu, "").replace(/\s+/gu, " ").trim()

/** A line for each of these members of the db, with the last name of each marked. */
const marked = (members: Iterable<string>): string =>
  declared
  + [...members].map((name) => `db.${name}\n//${" ".repeat(name.length)}^`).join("\n")

describe("the quick info of an editor", () => {
  const service = new QuickInfo()
  beforeAll(() => service.open())
  afterAll(() => service.close())

  /** The text over the caret, in one line. */
  const over = async (code: string): Promise<string> =>
    inOneLine((await service.over(declared + code))[0] ?? "")

  it("shows an entry by the plain type of its view", async () => {
    const shown = await over("const entry = await db.carts.entry(\"ada\")\n//    ^")
    expect(shown).toBe(`const entry: ${cart}`)
  })

  it("shows a value by its plain type", async () => {
    const shown = await over("const value = await db.carts.get(\"ada\")\n//    ^")
    expect(shown).toBe(`const value: ${view} | undefined`)
  })

  it("shows a key of several fields as one object", async () => {
    const shown = await over(
      "const entry = await db.profiles.entry({ tenant: \"t\", id: \"i\" })\n//    ^"
    )
    expect(shown).toBe(`const entry: Entry<"profiles", ${key}, { readonly name: string; }>`)
  })

  it("shows a handle by the name of its kind, and the types it was declared with", async () => {
    const shown = await over("const { profiles } = db\n//      ^")
    const value = "{ readonly name: string; }"
    expect(shown)
      .toBe(`const profiles: LwwHandle<"profiles", ${key}, ${value}, ${value}, "promise">`)
    const { length } = "const carts: CrdtHandle<"
    const carts = await over("const { carts } = db\n//      ^")
    expect(carts.slice(0, length)).toBe("const carts: CrdtHandle<")
    const siblings = await over("const { notes } = db\n//      ^")
    expect(siblings).toBe(
      "const notes: MergeHandle<\"notes\", string, readonly [string, ...string[]], string, "
        + "\"promise\">"
    )
  })

  it("shows an operation with the names of its arguments", async () => {
    const shown = await over(
      "await db.carts.lines.add(\"ada\", \"apple\", 1)\n//                   ^"
    )
    const written = cart.replace("Entry", "Written")
    expect(shown).toMatch(
      "(property) add: (key: string, entry: string, amount: number, "
        + `options?: OperationOptions<"carts"> | undefined) => Promise<${written}> Adds an integer`
    )
  })

  it("says of each method what it does", async () => {
    const words = {
      "carts.get": "The value, or undefined where nothing is stored.",
      "carts.entry": "The value or its absence, with the context that the next write brings back.",
      "carts.edit": "Applies several operations as one change: all or none",
      "carts.delete": "Removes the values that were seen.",
      "profiles.put": "Writes a value without reading first",
      "notes.update": "Reads, applies `change`",
      "notes.replace": "Writes a value in place of all values seen"
    }
    const shown = await service.over(marked(Object.keys(words)))
    expect(shown).toHaveLength(Object.keys(words).length)
    for (const [index, said] of Object.values(words).entries()) {
      expect(inOneLine(shown[index]!)).toContain(said)
    }
  })
})
