// Runs the contract of the ways in on each of them, on given inputs and on drawn ones.
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { drawn, rewritten } from "../contracts/drawnValues.ts"
import { checkWayIn, contractBuckets, withinMillis } from "../contracts/waysIn.ts"
import { openStore, type Store, waysIn } from "./waysIn.ts"

let store: Store
beforeAll(async () => {
  store = await openStore(contractBuckets)
})
afterAll(() => store.stop())

describe.each(waysIn)("%s", (name, open) => checkWayIn(name, () => open(store)))

const textWays = ["a message over NATS", "a request over HTTP", "a request in a body over HTTP"]

/** Of the drawn inputs, so many go to the command line also: each is a process. */
const commandEvery = 10

it("any value of any schema is stored as one text, or refused alike, by every way in", async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(drawn, async ({ schema, values }) => {
      const bucket = Bucket.lww("drawn", { key: Key.text, value: schema })
      const opened = await openStore([bucket])
      const withCommands = runs++ % commandEvery === 0
      const write = async (name: string, args: { values?: [unknown]; texts?: [string] }) => {
        const [, open] = waysIn.find(([way]) => way === name)!
        const key = { value: name, text: name }
        const input = { bucket, key, operation: "put", expected: "", ...args }
        return (await open(opened).write([input]))[0]!
      }
      try {
        for (const value of values) {
          const outcome = await write("a program in the node's process", { values: [value] })
          expect(outcome).toMatch(/^(?:stored |refused InvalidValue \$)/u)
          for (const way of ["a program over NATS", "a program over HTTP"]) {
            expect(await write(way, { values: [value] })).toBe(outcome)
          }
          if (!outcome.startsWith("stored ")) continue
          const text = rewritten(outcome.slice("stored ".length))
          for (const way of textWays) {
            expect(await write(way, { texts: [text] })).toBe(outcome)
          }
        }
        const last = await write("a program over NATS", { values: [values[0]] })
        if (!withCommands || !last.startsWith("stored ")) return
        const text = rewritten(last.slice("stored ".length))
        expect(await write("the command line", { texts: [text] })).toBe(last)
      } finally {
        await opened.stop()
      }
    }),
    { numRuns: 30 }
  )
}, withinMillis)
