/**
 * States what must not compile, and what types there are where it does. The compiler is the test:
 * it fails where an expected error is missing, and where a type is another than said.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { KeyOf, ValueOf, ViewOf } from "../../src/client/BucketTypes.ts"
import { type CausalContext, contextOf, type Entry } from "../../src/client/Entry.ts"
import type { HandleOf, PromiseHandleOf } from "../../src/client/Handle.ts"
import type { DbControl, Handles, NamedWell } from "../../src/client/Promises.ts"
import { toJson } from "../../src/client/ToJson.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { notes, profiles, rooms, scores, shelves } from "../cluster/buckets.ts"

type Same<A, B> = [A, B] extends [B, A] ? true : false
/** Compiles only where the two types are one. */
const same = <A, B>(_same: Same<A, B>): void => undefined

const lines = Bucket.crdt("lines", {
  key: Key.text,
  type: Crdt.map(Crdt.document({ count: Crdt.counter, note: Crdt.register(Schema.String) }))
})

interface Open {
  readonly profiles: PromiseHandleOf<typeof profiles>
  readonly notes: PromiseHandleOf<typeof notes>
  readonly scores: PromiseHandleOf<typeof scores>
  readonly shelves: PromiseHandleOf<typeof shelves>
  readonly rooms: PromiseHandleOf<typeof rooms>
  readonly lines: PromiseHandleOf<typeof lines>
}

export const blindWrites = (db: Open) => [
  db.profiles.put("k", { name: "Ada" }),
  // @ts-expect-error a siblings bucket has no put: it would lose the context
  db.notes.put("k", "x"),
  // @ts-expect-error nor has one with an application merge
  db.scores.put("k", 1),
  // @ts-expect-error nor a data type, whose operations say what changes
  db.shelves.put("k", { books: new Set(["x"]) }),
  // @ts-expect-error a data type is not updated as a whole
  db.shelves.update("k", (shelf) => shelf),
  // @ts-expect-error nor replaced
  db.shelves.replace({ key: "k", context: contextOf(shelves, "") }, {}),
  // @ts-expect-error where the last write wins nothing is replaced: it is put
  db.profiles.replace({ key: "k", context: contextOf(profiles, "") }, { name: "x" }),
  // @ts-expect-error nor updated, since what is written meanwhile would be lost
  db.profiles.update("k", () => ({ name: "x" })),
  // @ts-expect-error only a data type is edited
  db.profiles.edit("k", () => [])
]

export const lostContexts = async (db: Open) => {
  const note = await db.notes.entry("n")
  const score = await db.scores.entry("n")
  return [
    db.notes.replace(note, "x"),
    db.notes.replace({ key: "n", context: note.context }, "x"),
    // @ts-expect-error a key does not say what was seen
    db.notes.replace("n", "x"),
    // @ts-expect-error an entry of another bucket saw something else
    db.notes.replace(score, "x"),
    // @ts-expect-error and so did its context
    db.notes.replace({ key: "n", context: score.context }, "x"),
    // @ts-expect-error a text is a context only once it is read back for its bucket
    db.notes.replace({ key: "n", context: "text" }, "x"),
    db.notes.replace({ key: "n", context: contextOf(notes, "text") }, "x"),
    // @ts-expect-error read back for another bucket it is not
    db.notes.replace({ key: "n", context: contextOf(scores, "text") }, "x"),
    // @ts-expect-error a deletion takes an entry of its own bucket
    db.notes.delete(score),
    // @ts-expect-error and a removal names what was seen in its own bucket
    db.shelves.books.remove("s", "Emma", { seen: note })
  ]
}

export const absentValues = async (db: Open) => {
  const entry = await db.notes.entry("n")
  // @ts-expect-error there may be no value: _tag says so
  const early: unknown = entry.value
  const late = entry._tag === "Found" ? entry.value : undefined
  same<typeof late, readonly [string, ...ReadonlyArray<string>] | undefined>(true)
  const value = await db.scores.get("s")
  // @ts-expect-error nor need a read have found one
  const next = value + 1
  return [early, next]
}

export const keys = (db: Open) => [
  db.rooms.get({ hotel: "Ritz", floor: 1, name: "a" }),
  // @ts-expect-error a key of several fields is no text
  db.rooms.get("Ritz"),
  // @ts-expect-error each field is needed
  db.rooms.get({ hotel: "Ritz", floor: 1 }),
  // @ts-expect-error and of its own type
  db.rooms.get({ hotel: "Ritz", floor: "1", name: "a" }),
  // @ts-expect-error a bare key is a text
  db.notes.get({ key: "n" }),
  // @ts-expect-error and so are all of many
  db.notes.many([1])
]

export const values = async (db: Open) => [
  // @ts-expect-error a value fits the schema
  db.profiles.put("k", { name: 7 }),
  // @ts-expect-error the whole of it
  db.profiles.put("k", {}),
  // @ts-expect-error what an update returns, too
  db.scores.update("s", () => "many"),
  // @ts-expect-error an update may find nothing
  db.scores.update("s", (score) => score + 1),
  db.scores.update("s", (score) => (score ?? 0) + 1),
  // @ts-expect-error a merge gives what it is given
  Bucket.merge("m", { key: Key.text, value: Schema.Int, merge: (a, b) => `${a}${b}` })
]

export const operations = (db: Open) => [
  db.shelves.books.add("s", "Emma"),
  db.shelves.visits.add("s", 1, { w: "all" }),
  // @ts-expect-error an element fits the set
  db.shelves.books.add("s", 7),
  // @ts-expect-error an operation takes all of its arguments
  db.shelves.visits.add("s"),
  // @ts-expect-error and no more than these and options
  db.shelves.visits.add("s", 1, 2),
  // @ts-expect-error a counter counts in numbers
  db.shelves.visits.add("s", "1"),
  // @ts-expect-error it does not set
  db.shelves.visits.set("s", 1),
  db.lines.count.add("l", "apple", 2),
  // @ts-expect-error a register holds its type
  db.lines.note.set("l", "apple", 2),
  // @ts-expect-error below a map the entry's key comes first
  db.lines.count.add("l", 2),
  db.shelves.edit("s", (shelf) => [shelf.books.add("Emma"), shelf.visits.add(1)]),
  // @ts-expect-error in an edit the document's key is said once
  db.shelves.edit("s", (shelf) => [shelf.books.add("s", "Emma")]),
  // @ts-expect-error an edit is made of operations
  db.shelves.edit("s", () => ["books.add"])
]

export const options = (db: Open) => [
  db.profiles.get("k", { consistency: "available", r: "one", pr: 1, timeout: "200 millis" }),
  // @ts-expect-error a consistency has a name of three
  db.profiles.get("k", { consistency: "eventual" }),
  // @ts-expect-error a read waits for no writes
  db.profiles.get("k", { w: 1 }),
  // @ts-expect-error a write reads nothing
  db.profiles.put("k", { name: "x" }, { r: 1 }),
  // @ts-expect-error n is the bucket's, never a request's
  db.profiles.get("k", { n: 5 }),
  db.scores.update("k", () => 1, { r: "all", w: "all" })
]

export const declarations = () => [
  // @ts-expect-error a field may not bear the name of a handle's own method
  Bucket.crdt("b", { key: Key.text, type: Crdt.document({ get: Crdt.counter }) }),
  // @ts-expect-error nor any other of them
  Bucket.crdt("b", { key: Key.text, type: Crdt.document({ edit: Crdt.set(Schema.String) }) }),
  Bucket.crdt("b", {
    key: Key.text,
    // Below another field the name is free.
    type: Crdt.document({ inner: Crdt.document({ get: Crdt.counter }) })
  }),
  // @ts-expect-error a bucket says how it reconciles: a merge needs its function
  Bucket.merge("b", { key: Key.text, value: Schema.Int })
]

const named = <B extends Record<string, Bucket.Any>>(
  buckets: NamedWell<B>
): Handles<B> & DbControl<B> => {
  throw new Error(`never called, with ${Object.keys(buckets).join()}`)
}

export const names = () => [
  named({ profiles, notes }).notes.get("n"),
  // @ts-expect-error a db closes by this name
  named({ close: profiles }),
  // @ts-expect-error and opens sessions by this one
  named({ session: profiles }),
  // @ts-expect-error a bucket is there by the name it was given
  named({ profiles }).notes
]

export const types = (effects: HandleOf<typeof scores>, db: Open) => {
  same<ReturnType<typeof effects.get>, Effect.Effect<number | undefined, StoreError>>(true)
  same<
    ReturnType<typeof effects.entry>,
    Effect.Effect<Entry<"scores", string, number>, StoreError>
  >(true)
  same<ReturnType<typeof db.scores.get>, Promise<number | undefined>>(true)
  same<Awaited<ReturnType<typeof db.rooms.get>>, { readonly beds: number } | undefined>(true)
  same<Awaited<ReturnType<typeof db.notes.entry>>["context"], CausalContext<"notes">>(true)
  // @ts-expect-error no two contexts of different buckets are one type
  same<CausalContext<"notes">, CausalContext<"scores">>(true)
}

interface Shelf {
  readonly books: ReadonlySet<string>
  readonly visits: number
  readonly label: Schema.Json | undefined
}

interface Room {
  readonly hotel: string
  readonly floor: number
  readonly name: string
}

export const namedTypes = (db: Open, effects: HandleOf<typeof scores>) => {
  same<KeyOf<typeof rooms>, Room>(true)
  same<KeyOf<typeof db.rooms>, Room>(true)
  same<KeyOf<typeof effects>, string>(true)
  same<ViewOf<typeof shelves>, Shelf>(true)
  same<ViewOf<typeof db.shelves>, Shelf>(true)
  same<ViewOf<typeof effects>, number>(true)
  same<ViewOf<typeof db.notes>, readonly [string, ...ReadonlyArray<string>]>(true)
  same<ValueOf<typeof notes>, string>(true)
  same<ValueOf<typeof db.notes>, string>(true)
  same<ValueOf<typeof db.profiles>, { readonly name: string }>(true)
  same<ValueOf<typeof effects>, number>(true)
  same<ValueOf<typeof shelves>, never>(true)
  same<ValueOf<typeof db.shelves>, never>(true)
}

export const json = async (db: Open) => {
  const cart = toJson(await db.shelves.get("s"))
  same<NonNullable<typeof cart>["books"], ReadonlyArray<string>>(true)
  same<Extract<typeof cart, null>, null>(true)
  const count = toJson(new Map([["apple", 1n]]))
  same<typeof count, { readonly [key: string]: string }>(true)
}
