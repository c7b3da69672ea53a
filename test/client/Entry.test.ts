// Checks what a program gets of an entry.
import { expect, it } from "vitest"
import { contextOf, type Entry, viewOf, type Written } from "../../src/client/Entry.ts"
import { profiles } from "../cluster/buckets.ts"

const seen = {
  bucket: "profiles",
  key: "k",
  context: contextOf(profiles, "c"),
  replied: 2
} as const
type Profile = { readonly name: string }

it("viewOf gives the value of an entry that has one, and undefined of any other", () => {
  const found: Entry<"profiles", string, Profile> = {
    ...seen,
    _tag: "Found",
    value: { name: "Ada" },
    siblings: 1
  }
  expect(viewOf(found)).toEqual({ name: "Ada" })
  const others: ReadonlyArray<Written<"profiles", string, Profile>> = [
    { ...seen, _tag: "Absent" },
    { ...seen, _tag: "Unshown" }
  ]
  for (const other of others) {
    const view: Profile | undefined = viewOf(other)
    expect(view).toBeUndefined()
  }
  expect(viewOf({ _tag: "Failed", value: 1 })).toBeUndefined()
  expect(viewOf(undefined)).toBeUndefined()
})
