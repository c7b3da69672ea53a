/**
 * Looks at the replicas of documents without reading them: an explanation shows what each primary
 * has, and repairs nothing.
 */
import * as Schema from "effect/Schema"
import { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { Explanation } from "../../schemas/Explanation.ts"
import { until } from "../tooling/until.ts"
import type { Written } from "./load.ts"
import type { Nodes } from "./nodes.ts"
import { pause } from "./pause.ts"

const explainMillis = 5_000
const atOnce = 8

/** Whether all primaries answer, and have the same. */
const isAgreed = async (url: string, { family, key }: Written): Promise<boolean> => {
  const query = new URLSearchParams({ bucket: family.bucket, key, timeout: String(explainMillis) })
  try {
    const answer = await fetch(`${url}/v1/explain?${String(query)}`)
    return answer.ok && Schema.decodeUnknownSync(Explanation)(await answer.json()).agreed
  } catch {
    return false
  }
}

/** Those of the documents whose replicas differ. */
export const unequalOf = async (
  nodes: Nodes,
  documents: ReadonlyArray<Written>
): Promise<ReadonlyArray<Written>> => {
  const unequal: Array<Written> = []
  let next = 0
  const work = async (): Promise<void> => {
    while (next < documents.length) {
      const i = next++
      const node = nodes.names[i % nodes.names.length]!
      if (!await isAgreed(nodes.url(node), documents[i]!)) unequal.push(documents[i]!)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return unequal
}

export interface Settled {
  /** Until all replicas were equal, or the time was over. */
  readonly seconds: number
  readonly unequal: ReadonlyArray<Written>
}

/** Looks at documents until the replicas of each were seen to be equal, for a time. */
export const settle = async (
  nodes: Nodes,
  documents: ReadonlyArray<Written>,
  withinMillis: number
): Promise<Settled> => {
  const begunAt = performance.now()
  let unequal = documents
  for (;;) {
    unequal = await unequalOf(nodes, unequal)
    const millis = performance.now() - begunAt
    if (unequal.length === 0 || millis > withinMillis) return { seconds: millis / 1_000, unequal }
    await pause(200)
  }
}

/** What a node knows of the cluster and of its own store; undefined where it does not answer. */
export const formationOf = async (
  url: string
): Promise<ClusterDescription["formation"] | undefined> => {
  try {
    const answer = await fetch(`${url}/v1/cluster`)
    return Schema.decodeUnknownSync(ClusterDescription)(await answer.json()).formation
  } catch {
    return undefined
  }
}

/**
 * The seconds until a node says that it has all that it acknowledged; undefined where that takes
 * too long.
 */
export const secondsToComplete = async (
  url: string,
  withinMillis: number
): Promise<number | undefined> => {
  const begunAt = performance.now()
  for (;;) {
    const isComplete = (await formationOf(url))?.completeness === "complete"
    const millis = performance.now() - begunAt
    if (isComplete) return millis / 1_000
    if (millis > withinMillis) return undefined
    await pause(200)
  }
}

/** Resolves when the cluster has formed, and every node has all that it acknowledged. */
export const untilFormed = (nodes: Nodes): Promise<void> =>
  until("all nodes are complete", async () => {
    const formations = await Promise.all(nodes.names.map((node) => formationOf(nodes.url(node))))
    if (formations.every((one) => one?.formed && one.completeness === "complete")) return true
    await pause(200)
    return false
  }, { withinMillis: 180_000 })
