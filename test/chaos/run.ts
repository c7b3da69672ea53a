/**
 * Runs one scenario: a load, faults meanwhile, the time until replicas are equal by themselves, and
 * at last the reading of everything.
 */
import { type Audit, audit } from "./audit.ts"
import { type Calls, type Kind, Load } from "./load.ts"
import { pause } from "./pause.ts"
import { makeRandom } from "./random.ts"
import { settle, type Settled } from "./replicas.ts"
import { type Scenario, scenarios } from "./scenarios.ts"
import { startWorld, type World } from "./world.ts"

export interface RunOptions {
  readonly seed: number
  /** Else those of the scenario. */
  readonly rounds?: number
  readonly seconds?: number
  readonly perSecond: number
  readonly keysOfEach: number
  /** How long replicas have to become equal without reads. */
  readonly settleSeconds: number
}

export interface Figures {
  readonly name: string
  readonly scenario: Scenario
  /** The faults that happened, with their number. */
  readonly faults: ReadonlyMap<string, number>
  readonly calls: Readonly<Record<Kind, Calls>>
  readonly errors: ReadonlyMap<string, number>
  readonly missedByReads: number
  /** How long each node took that lost its disk; undefined where that was too long. */
  readonly fillTimes: ReadonlyArray<number | undefined>
  readonly withoutReads: Settled
  readonly audit: Audit
  readonly afterReads: Settled
  readonly startTimes: ReadonlyArray<number>
}

const aroundMillis = 1_000
const afterReadsMillis = 20_000

/** Runs a scenario on a cluster that is whole, and was started for its `reach`. */
export const runOn = async (
  world: World,
  name: string,
  options: RunOptions
): Promise<Figures> => {
  const scenario = scenarioOf(name)
  const { keysOfEach, perSecond, seed, settleSeconds } = options
  const { clients, nodes } = world
  const faults = new Map<string, number>()
  const random = makeRandom(seed)
  const started = nodes.startTimes.length
  const load = new Load({ clients, random, perSecond, keysOfEach, keyPrefix: name })
  const fillTimes: Array<number | undefined> = []
  let equalAt = -Infinity
  load.start()
  await pause(aroundMillis)
  await scenario.run({
    world,
    load,
    // Its own: how many requests there are must not change the faults.
    random: makeRandom(seed + 1),
    rounds: options.rounds ?? scenario.rounds,
    seconds: options.seconds ?? scenario.seconds,
    note: (what) => faults.set(what, (faults.get(what) ?? 0) + 1),
    untilEqual: async () => {
      await load.pause()
      const endedAt = performance.now()
      const { unequal } = await settle(nodes, load.documents, settleSeconds * 1_000)
      if (unequal.length === 0) equalAt = endedAt
      load.resume()
    },
    noteFilled: (seconds) => void fillTimes.push(seconds)
  })
  await pause(aroundMillis)
  await load.stop()
  const withoutReads = await settle(nodes, load.documents, settleSeconds * 1_000)
  const audited = await audit(clients[0]!, load, equalAt)
  const afterReads = await settle(nodes, load.documents, afterReadsMillis)
  const { calls, errors, missedByReads } = load
  return {
    name,
    scenario,
    faults,
    calls,
    errors,
    missedByReads,
    fillTimes,
    withoutReads,
    audit: audited,
    afterReads,
    startTimes: nodes.startTimes.slice(started)
  }
}

/** Runs a scenario on a cluster of its own. */
export const runScenario = async (name: string, options: RunOptions): Promise<Figures> => {
  const world = await startWorld(scenarioOf(name))
  try {
    return await runOn(world, name, options)
  } finally {
    await world.stop()
  }
}

const scenarioOf = (name: string): Scenario => {
  const scenario = scenarios[name]
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`)
  return scenario
}
