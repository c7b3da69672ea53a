// Checks that the log says which of several nodes in one process speaks.
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { expect, it } from "vitest"
import { EverwriteNode } from "../../src/node/Node.ts"
import { until } from "../tooling/until.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

it("an alarm about another node names the node that raises it", async () => {
  const told: Array<{ readonly text: string; readonly node: unknown }> = []
  const logger = Logger.make(({ fiber, message }) => {
    const { node } = fiber.getRef(References.CurrentLogAnnotations)
    told.push({ text: String(message), node })
  })
  const config = { ...alone(folder()), node: "n1", members: "n1,n2" }
  const fiber = Effect.runFork(
    Effect.never.pipe(
      Effect.provide(EverwriteNode.layer(config)),
      Effect.provide(Logger.layer([logger]))
    )
  )
  await until(
    "the alarm is told",
    () => told.some(({ text }) => text.includes("does not answer")),
    {
      withinMillis: 20_000
    }
  )
  await Effect.runPromise(Fiber.interrupt(fiber))
  expect(told.filter(({ text }) => text.includes("does not answer")))
    .toEqual([{ text: "node n2 does not answer", node: "n1" }])
}, 30_000)
