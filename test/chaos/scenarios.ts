/**
 * Lists the scenarios: what each does to a running cluster while requests go on. When one returns,
 * every fault is over and every node runs.
 */
import type { Load } from "./load.ts"
import { pause } from "./pause.ts"
import { secondsToComplete } from "./replicas.ts"
import type { Random } from "./random.ts"
import type { World, WorldOptions } from "./world.ts"

export interface FaultContext {
  readonly world: World
  readonly load: Load
  readonly random: Random
  readonly rounds: number
  readonly seconds: number
  /** Counts what happened, for the table. */
  readonly note: (what: string) => void
  /** Waits, without requests, until all replicas are equal: each has what was acknowledged. */
  readonly untilEqual: () => Promise<void>
  /** Notes how long a node took to have everything again; undefined where that was too long. */
  readonly noteFilled: (seconds: number | undefined) => void
}

export interface Scenario {
  readonly rounds: number
  /** Of each fault that lasts. */
  readonly seconds: number
  readonly reach: WorldOptions["reach"]
  /** A disk is lost or damaged: what one replica alone had acknowledged may be lost with it. */
  readonly losesDisk?: boolean
  readonly run: (context: FaultContext) => Promise<void>
}

/** Between faults, so that requests meet a whole cluster too. */
const breathMillis = 500

const someTime = ({ random }: FaultContext): Promise<void> => pause(100 + random.below(900))

const repeat = async (context: FaultContext, round: () => Promise<void>): Promise<void> => {
  for (let i = 0; i < context.rounds; i++) {
    await round()
    await pause(breathMillis)
  }
}

/** What the machine bears without any fault, to compare with. */
const calm: Scenario = {
  rounds: 1,
  seconds: 30,
  reach: "own",
  run: (context) =>
    repeat(context, async () => {
      await pause(context.seconds * 1_000)
      context.note("none")
    })
}

const kill: Scenario = {
  rounds: 100,
  seconds: 0,
  reach: "own",
  run: (context) =>
    repeat(context, async () => {
      const { random, world: { nodes } } = context
      const node = random.of(nodes.names)
      await nodes.kill(node)
      context.note("kill -9")
      await someTime(context)
      await nodes.start(node)
    })
}

const killAll: Scenario = {
  rounds: 20,
  seconds: 0,
  reach: "own",
  run: (context) =>
    repeat(context, async () => {
      const { world: { nodes } } = context
      await Promise.all(nodes.names.map((node) => nodes.kill(node)))
      context.note("kill -9 of all")
      await Promise.all(nodes.names.map((node) => nodes.start(node)))
      await pause(1_000)
    })
}

const stopSeconds = [0.1, 3, 30]

const stop: Scenario = {
  rounds: 3,
  seconds: 30,
  reach: "own",
  run: (context) =>
    repeat(context, async () => {
      const { random, seconds, world: { nodes } } = context
      for (const length of stopSeconds.filter((length) => length <= seconds)) {
        const node = random.of(nodes.names)
        await nodes.freeze(node)
        await pause(length * 1_000)
        nodes.thaw(node)
        context.note(`SIGSTOP ${length} s`)
        await pause(breathMillis)
      }
    })
}

const broker: Scenario = {
  rounds: 3,
  seconds: 2,
  reach: "all",
  run: (context) =>
    repeat(context, async () => {
      const { brokers } = context.world
      for (const server of brokers.servers) {
        await server.stop()
        context.note("broker down")
        await pause(context.seconds * 1_000)
        await server.start()
        await brokers.joined()
        await pause(breathMillis)
      }
    })
}

/** Cuts the routes for which `chosen` holds, for a time. */
const cutting =
  (note: string, chosen: (between: readonly [number, number]) => boolean): Scenario["run"] =>
  (context) =>
    repeat(context, async () => {
      const { brokers } = context.world
      const routes = brokers.routes.filter(({ between }) => chosen(between))
      for (const { wire } of routes) wire.cut()
      context.note(note)
      await pause(context.seconds * 1_000)
      for (const { wire } of routes) wire.mend()
      await brokers.joined()
    })

const route: Scenario = {
  rounds: 1,
  seconds: 60,
  reach: "own",
  run: cutting("route cut", ([from, to]) => from === 1 && to === 2)
}

const partition: Scenario = {
  rounds: 1,
  seconds: 60,
  reach: "own",
  run: cutting("partition", ([from, to]) => from === 0 || to === 0)
}

/** How long a node may take to fill the disk that it lost with the few documents of a scenario. */
const fillMillis = 60_000

/** One after the other: of what two of three disks had, no promise is made. */
const wipe: Scenario = {
  rounds: 1,
  seconds: 0,
  reach: "own",
  losesDisk: true,
  run: (context) =>
    repeat(context, async () => {
      const { random, world: { nodes } } = context
      const node = random.of(nodes.names)
      await context.untilEqual()
      await someTime(context)
      await nodes.kill(node)
      nodes.wipe(node)
      context.note("disk wiped")
      await someTime(context)
      await nodes.start(node)
      context.noteFilled(await secondsToComplete(nodes.url(node), fillMillis))
    })
}

const flip: Scenario = {
  rounds: 100,
  seconds: 0,
  reach: "own",
  losesDisk: true,
  run: async (context) => {
    const { random, world: { nodes } } = context
    // One node alone is damaged: the others are what its documents are restored from.
    const node = random.of(nodes.names)
    await repeat(context, async () => {
      await nodes.kill(node)
      const place = nodes.flip(node, random)
      context.note("bit flipped")
      try {
        await nodes.start(node)
      } catch (error) {
        console.error(`${place}: ${error instanceof Error ? error.message : String(error)}`)
        context.note("no start")
        await nodes.kill(node)
        nodes.wipe(node)
        await nodes.start(node)
      }
    })
  }
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  calm,
  kill,
  "kill-all": killAll,
  stop,
  broker,
  route,
  partition,
  wipe,
  flip
}
