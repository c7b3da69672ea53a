/**
 * Opens HTTP for a node: once it serves, or before, where it is to wait for a broker. Until it
 * serves such a node answers whether it lives, says that it is not ready and why, and refuses all
 * else.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Backend } from "../client/Backend.ts"
import type { NodeId } from "../core/model/Names.ts"
import { presets } from "../core/model/Limits.ts"
import { NodeUnavailable } from "../core/model/StoreError.ts"
import type { CodeOf } from "../http/ApiPages.ts"
import type { Health } from "../http/Inspection.ts"
import { type HttpUnavailable, serve, type ServeOptions } from "../http/Server.ts"
import { liveRuntime } from "./LiveRuntime.ts"
import type { Settings } from "./Settings.ts"
import { Telemetry } from "./Telemetry.ts"

export type Serving = Omit<ServeOptions, "host" | "port" | "limits" | "hosts" | "tokens">

/** The way to a node over HTTP. */
export class NodeDoor extends Context.Service<NodeDoor, {
  /** Serves from now on, until the scope ends; the address, or undefined where HTTP is off. */
  readonly open: (
    serving: Serving
  ) => Effect.Effect<string | undefined, HttpUnavailable, Scope.Scope>
}>()("everwrite/node/NodeDoor") {}

const openHttp = Effect.fnUntraced(function*(
  { http, httpHost, httpHosts: hosts, httpToken: tokens, preset }: Settings,
  serving: Serving
) {
  if (http === false) return undefined
  const { http: limits } = presets[preset]
  const { url } = yield* serve({ ...serving, host: httpHost, port: http, hosts, tokens, limits })
  return url
}, Effect.withSpan("everwrite.start.http"))

/** Stands for a node until it serves. */
export class StartingNode implements Backend {
  readonly runtime = liveRuntime
  readonly #node: NodeId
  readonly #reason: string
  #serving: Serving | undefined

  constructor(options: { readonly node: NodeId; readonly reason: string }) {
    this.#node = options.node
    this.#reason = options.reason
  }

  readonly health: Health = {
    notReady: () => this.#serving?.health.notReady() ?? [this.#reason],
    alarms: () => this.#serving?.health.alarms?.() ?? []
  }

  codeOf(bucket: string): ReturnType<CodeOf> {
    return this.#serving?.codeOf?.(bucket)
  }

  /** From now on the node answers. */
  become(serving: Serving): void {
    this.#serving = serving
  }

  readonly request: Backend["request"] = (request, respond) => {
    const backend = this.#serving?.backend
    return backend === undefined ? respond(this.#refusal()) : backend.request(request, respond)
  }

  readonly explain: Backend["explain"] = (request, respond) => {
    const backend = this.#serving?.backend
    return backend === undefined ? respond(this.#refusal()) : backend.explain(request, respond)
  }

  readonly list: Backend["list"] = (request, respond) => {
    const backend = this.#serving?.backend
    return backend === undefined ? respond(this.#refusal()) : backend.list(request, respond)
  }

  readonly sync: Required<Backend>["sync"] = (request, respond) => {
    const sync = this.#serving?.backend.sync
    return sync === undefined ? respond(this.#refusal()) : sync(request, respond)
  }

  readonly describe: Backend["describe"] = (respond) => {
    const backend = this.#serving?.backend
    return backend === undefined ? respond(this.#refusal()) : backend.describe(respond)
  }

  #refusal(): NodeUnavailable {
    return new NodeUnavailable({ node: this.#node, reason: this.#reason })
  }
}

/** Whether a node is to be reached before it serves. */
const opensFirst = ({ nats, waitForNats }: Settings): boolean => waitForNats && nats !== "embedded"

/** Open already, in a scope that the node ends: it is used by requests under way. */
const openFirst = Effect.fnUntraced(function*(settings: Settings) {
  const metrics = yield* Telemetry
  const reason = "the node waits for a NATS broker"
  const starting = new StartingNode({ node: settings.node, reason })
  const scope = yield* Scope.make()
  const close = Scope.close(scope, Exit.void)
  yield* Effect.addFinalizer(() => close)
  const address = yield* openHttp(settings, {
    backend: starting,
    health: starting.health,
    metrics,
    codeOf: (bucket) => starting.codeOf(bucket)
  }).pipe(Scope.provide(scope))
  yield* Effect.logInfo("answers for its health, until a NATS broker is there").pipe(
    Effect.annotateLogs({ node: settings.node, http: address ?? "off" })
  )
  return NodeDoor.of({
    open: (serving) =>
      Effect.suspend(() => {
        starting.become(serving)
        return Effect.as(Effect.addFinalizer(() => close), address)
      })
  })
})

export const layerDoor = (
  settings: Settings
): Layer.Layer<NodeDoor, HttpUnavailable, Telemetry> =>
  opensFirst(settings)
    ? Layer.effect(NodeDoor, openFirst(settings))
    : Layer.succeed(NodeDoor, { open: (serving) => openHttp(settings, serving) })
