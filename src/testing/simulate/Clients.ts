/**
 * Plays the clients of one run: draws their operations and times, and carries them out through the
 * bucket's own handle.
 */
import type { Entry } from "../../client/Entry.ts"
import { makeHandle } from "../../client/MakeHandle.ts"
import * as Task from "../../client/Task.ts"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import { decodeKey, encodeKey } from "../../core/model/KeyFields.ts"
import { invariant } from "../../core/Invariant.ts"
import type { Any } from "../../core/strategy/Bucket.ts"
import { SchemaMismatch, type ValueCodec } from "../../core/strategy/ValueCodec.ts"
import type { PlannedOperation } from "../simulator/Plan.ts"
import type { Scenario } from "../simulator/Scenario.ts"
import { type SeededRandom, stream } from "../simulator/SeededRandom.ts"
import {
  draw,
  levels,
  type PlanFacts,
  sessionsMax,
  weigh,
  type Workload
} from "../simulator/Workload.ts"
import type { AnyOperations } from "./Operation.ts"

/** The setting that the runs of one seed share. */
export interface SeedSetting {
  readonly seed: number
  readonly bucket: Any
  readonly operations: AnyOperations
  /** The bucket's own: each writes no less than it has read. */
  readonly areGenerated: boolean
  /** As plans name them. */
  readonly keys: ReadonlyArray<string>
  readonly steps: number
}

/** The input of a client's operation, and the value that it wrote, if it wrote one. */
export interface Brought {
  readonly input: unknown
  readonly written?: unknown
}

const readShare = 0.2
/** Of operations: they are on the same document as the one before, in the same moment. */
const crowdedShare = 0.5
const keysMax = 3
/** Characters of JSON that a value may have. */
const lengthLeast = 20_000
const lengthPerStep = 100

export const drawSteps =
  ({ bucket, keys, operations, steps }: SeedSetting) =>
  (random: SeededRandom, { chaosMillis, nodes }: PlanFacts): Workload => {
    const weights = weigh(random, [...operations.keys()])
    const consistencies = weigh(random, levels)
    const homes = Array.from(
      { length: random.integer(2, sessionsMax) },
      () => random.pick(nodes)
    )
    const used = keys.slice(0, random.integer(1, keysMax))
    const times = Array.from({ length: steps }, () => random.integer(0, chaosMillis))
      .sort((a, b) => a - b)
    let [atMillis, key] = [0, random.pick(used)]
    const planned = times.map((time, index): PlannedOperation => {
      if (!random.chance(crowdedShare)) [atMillis, key] = [time, random.pick(used)]
      const session = random.integer(0, homes.length - 1)
      return {
        id: index + 1,
        atMillis,
        session,
        node: homes[session]!,
        bucket: bucket.name,
        key,
        consistency: draw(random, consistencies),
        action: random.chance(readShare)
          ? { kind: "read" }
          : { kind: "step", name: draw(random, weights) }
      }
    })
    return { operations: planned, guarded: [] }
  }

/** The key, as applications give it, of one that plans name. */
export const keyOf = ({ definition, key }: Any, name: string): unknown => {
  const json = definition.key.bare ? name : CanonicalJson.decode(name)
  return key.codec.decode(decodeKey(definition.key, encodeKey(definition.key, json)))
}

/** A value that has grown beyond all that so few operations can bring. */
export class Grown extends Error {
  override readonly name = "Grown"
}

const lengthOf = ([codec]: ReadonlyArray<ValueCodec<any>>, value: unknown): number => {
  try {
    return JSON.stringify(codec?.encode(value)).length
  } catch (thrown) {
    // The request is refused, and says why.
    if (thrown instanceof SchemaMismatch) return 0
    throw thrown
  }
}

/**
 * A merge that adds where it should join doubles the value with each conflict: such a run has no
 * end.
 */
const checkLength = ({ bucket, steps }: SeedSetting, value: unknown): void => {
  const length = lengthOf(bucket.code.arguments.get("put") ?? [], value)
  if (length <= lengthLeast + lengthPerStep * steps) return
  throw new Grown(`a client writes ${length} characters of JSON: does the merge add, not join?`)
}

/** The clients of one run. `brought` is told their inputs. */
export const scenarioOf = (setting: SeedSetting, brought: Map<number, Brought>): Scenario => {
  const { bucket, operations, seed } = setting
  return {
    buckets: [bucket],
    client: (requester) => {
      const handle = makeHandle(bucket, requester, (task) => task)
      return ({ action, consistency, id, key: name }) => {
        const key = keyOf(bucket, name)
        const options = { consistency }
        if (action.kind !== "step") return handle.entry(key, options)
        const operation = operations.get(action.name)
        invariant(operation !== undefined, `there is an operation ${action.name}`)
        // Not of the plan, whose seed changes when it is shrunk.
        const { change, input } = operation(stream(seed, `input ${id}`))
        brought.set(id, { input })
        if (bucket.surface.includes("edit")) {
          return handle.edit(key, (document: unknown) => [change(document)].flat(), options)
        }
        const update = (current: unknown) => {
          const written = change(current)
          brought.set(id, { input, written })
          checkLength(setting, written)
          return written
        }
        if (bucket.surface.includes("update")) return handle.update(key, update, options)
        // As a client does where the last write wins: what was written in between is lost.
        return Task.andThen(handle.entry(key, options), (seen: Entry<string, unknown, unknown>) => {
          const value = update(seen._tag === "Found" ? seen.value : undefined)
          return handle.put(key, value, { ...options, seen })
        })
      }
    }
  }
}
