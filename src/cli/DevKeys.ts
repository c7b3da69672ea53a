/**
 * Lets a person at the terminal of `everwrite dev` stop a node, cut one off and bring them back, to
 * see that the data survive.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { devScreen } from "../core/model/EdgeLimits.ts"
import { NodeId } from "../core/model/Names.ts"
import { type DevCluster, devNodes } from "../node/DevCluster.ts"
import { faint } from "./DevBanner.ts"
import { DevFigures } from "./DevFigures.ts"
import * as Output from "./Output.ts"
import { keys } from "./Running.ts"

/** The nodes that the keys are about. */
const killed = NodeId.make("n2")
const cutOff = NodeId.make("n3")

/** In seconds: how long the others hear nothing of a node, and until the next look at figures. */
const shownWithin = (devScreen.heardWithinMillis + devScreen.figuresMillis) / 1_000

export const keyLine = "k kill a node   p partition   h heal   ? keys   q quit"

const help = (cluster: DevCluster): string =>
  [
    `  k  stop ${killed} as a crash would; pressed again, start it on the data that it had`,
    `  p  cut ${cutOff} off from the other nodes, and from clients on NATS`,
    "  h  heal: let all nodes reach each other again",
    "  ?  show these keys",
    "  q  quit; the data stay",
    `  ${standIns(cluster)}`
  ].join("\n")

/** Whether others stand in for a node: where each document is on all nodes, none can. */
const standIns = ({ settings: { members } }: DevCluster): string =>
  members.length > devNodes.usual
    ? "others keep what a node misses, owed to it, and hand it over when it is back"
    : "every node has every document here: with --nodes 5, others stand in for a node"

export const seconds = (since: number): string =>
  `${((performance.now() - since) / 1000).toFixed(1)} s`

const killOrRevive = Effect.fnUntraced(function*(cluster: DevCluster) {
  const isRunning = cluster.nodes().some(({ settings: { node } }) => node === killed)
  if (isRunning) {
    yield* cluster.kill(killed)
    yield* Output.line(`${killed} is killed; k starts it again`)
    return yield* Output.line(standIns(cluster))
  }
  const since = performance.now()
  yield* cluster.revive(killed).pipe(
    Effect.andThen(Output.line(`${killed} is back on the same data after ${seconds(since)}`)),
    Effect.catch(({ message }) => Output.line(`${killed} does not start: ${message}`))
  )
})

/** Cuts a node off; `isCut` says whether it is already. */
const partition = (cluster: DevCluster, isCut: boolean) => {
  if (!cluster.embedded) return Output.line("only a broker in this process can cut off a node")
  if (isCut) return Output.line(`${cutOff} is cut off already; h heals`)
  cluster.isolate(cutOff)
  return Output.line(
    `${cutOff} is cut off from the others: the figures show it within ${shownWithin} s; `
      + "it takes requests by HTTP"
  )
}

const heal = (cluster: DevCluster, isCut: boolean) => {
  if (!isCut) return Output.line("no node is cut off")
  cluster.heal()
  return Output.line("all nodes reach each other")
}

/** Prints the figures while they change: an idle screen stands still. */
const showFigures = Effect.fnUntraced(function*(cluster: DevCluster) {
  const figures = new DevFigures(cluster)
  for (;;) {
    const [slept] = yield* Effect.timed(Effect.sleep(devScreen.figuresMillis))
    if (Duration.toMillis(slept) > devScreen.lateLookMillis) continue
    const line = figures.news()
    if (line !== undefined) yield* Output.line(faint(line))
  }
})

const nameOf = (key: string): string => {
  if (key === "\r" || key === "\n") return "Enter"
  return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(key) ? key : "that key"
}

/** Does as the keys say, until one ends it. */
export const play = Effect.fnUntraced(function*(cluster: DevCluster) {
  const pressed = yield* keys
  yield* Effect.forkScoped(showFigures(cluster))
  let isCut = false
  for (;;) {
    const key = yield* Queue.take(pressed)
    switch (key) {
      case "k":
        yield* killOrRevive(cluster)
        break
      case "p":
        yield* partition(cluster, isCut)
        isCut = cluster.embedded
        break
      case "h":
        yield* heal(cluster, isCut)
        isCut = false
        break
      case "?":
        yield* Output.line(help(cluster))
        break
      case "q":
        return
      default:
        yield* Output.line(`${nameOf(key)} does nothing; ? shows the keys`)
    }
  }
})
