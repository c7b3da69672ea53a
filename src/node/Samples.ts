/**
 * Makes the counts of a node's metrics. Each says what it counts, and when it is alarming.
 */
import type { Sample } from "../http/Metrics.ts"

type Value = Sample["value"]

/** What is counted, and when an operator is to act. */
export type Words = readonly [help: string, alarm: string]

export const counter = (name: string, value: Value, [help, alarm]: Words): Sample => ({
  name: `${name}_total`,
  type: "counter",
  help,
  alarm,
  value
})

export const gauge = (name: string, value: Value, [help, alarm]: Words): Sample => ({
  name,
  type: "gauge",
  help,
  alarm,
  value
})

/** For a number that only explains others. */
export const harmless = "No alarm by itself."

/** For a number that stays 0 in a cluster without faults. */
export const anyIsAlarming = "Alarming: any."
