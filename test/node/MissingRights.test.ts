// Checks that a whole node is not ready, and warns, where its user at the broker lacks a right.
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { afterEach, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { EverwriteNode } from "../../src/node/Node.ts"
import { permissionsOf } from "../../src/transport/NatsPermissions.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })

const readyOf = async (address: string | undefined) => {
  const answer = await fetch(`${address}/readyz`)
  return { status: answer.status, text: await answer.text() }
}

describeWithNats("a node whose user at the broker lacks a right", () => {
  let server: NatsServer | undefined
  afterEach(() => server?.stop())

  const { publish, subscribe } = permissionsOf(ClusterName.make("rights"), "n1", {
    _tag: "Node",
    node: NodeId.make("n1")
  })
  const writes = "everwrite.rights.v1.write."

  const configOf = (subjects: ReadonlyArray<string>): string =>
    `authorization { users: [{ user: n1, password: secret, permissions: {
      publish: { allow: ${JSON.stringify(publish)} }
      subscribe: { allow: ${JSON.stringify(subjects)} } } }] }`

  it("is not ready, and warns", async () => {
    server = await startNatsServer(configOf(subscribe.filter((each) => !each.startsWith(writes))))
    const told: Array<string> = []
    const isTold = () => told.some((text) => text.includes("does not let this node do"))
    const logger = Logger.make(({ message }) => void told.push(String(message)))
    const config = {
      ...alone(folder()),
      cluster: "rights",
      node: "n1",
      nats: server.url,
      natsUser: "n1",
      natsPassword: "secret",
      logLevel: "warn" as const,
      http: 0,
      buckets: [texts]
    }
    const program = Effect.gen(function*() {
      const { address } = yield* EverwriteNode
      const lacks = async () => {
        const { status, text } = await readyOf(address)
        return status === 503 && text.includes(`subscribe to ${writes}`)
      }
      yield* Effect.promise(() => until("it is not ready", lacks))
      yield* Effect.promise(() =>
        until("it warns", isTold, { withinMillis: 3 * lan.node.alarmCheckMillis })
      )
    })
    await Effect.runPromise(program.pipe(
      Effect.provide(EverwriteNode.layer(config)),
      Effect.provide(Logger.layer([logger]))
    ))
  })
})
