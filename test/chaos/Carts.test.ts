// Checks what an account of carts holds a removal to that was tried twice.
import { expect, it } from "vitest"
import { openAccount, settle } from "../../examples/shopping-carts/ledger.ts"
import { removalsOf } from "./carts.ts"

const resurrected = (...tries: ReadonlyArray<ReadonlyArray<string>>): number => {
  const account = openAccount()
  account.tried.set("one", "milk")
  account.acknowledged.add("one")
  const seen = tries.map((additions) => ({ additions: new Set(additions) }))
  account.removals.push(...removalsOf("milk", seen, true))
  return settle(account, new Map([["milk", new Set(["one"])]])).resurrected
}

it("an item that the acknowledged try saw is not to come back", () => {
  expect(resurrected(["one"])).toBe(1)
  expect(resurrected([], ["one"])).toBe(1)
})

it("an item may stay that only the try which failed saw", () => {
  expect(resurrected(["one"], [])).toBe(0)
})
