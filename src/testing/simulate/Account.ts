/**
 * Tells the story of a run, line by line, for an application's author who looks into a failure.
 */
import * as Formatter from "effect/Formatter"
import { faultClass } from "../simulator/Faults.ts"
import type { Event, Outcome, Record } from "../simulator/History.ts"
import { isWrite, type Plan, type PlannedFault, type PlannedOperation } from "../simulator/Plan.ts"
import type { Brought } from "./Clients.ts"

interface Line {
  readonly at: number
  readonly text: string
}

/** Failures that shrink are far shorter. */
const linesMax = 50

const outcomes: { readonly [Name in Outcome]: string } = {
  ok: "acknowledged",
  fail: "refused",
  info: "unknown"
}

const whole = (millis: number): string => millis.toFixed(0)

const ofOperation = (operation: PlannedOperation, brought: Brought | undefined): string => {
  const { action, consistency, key, node, session } = operation
  const what = action.kind === "step"
    ? `${action.name} ${Formatter.format(brought?.input)} to`
    : action.kind
  return `client ${session} at ${node}, ${consistency}: ${what} ${JSON.stringify(key)}`
}

const ofEvent = (event: Event, startAt: number, brought: Brought | undefined): Line => {
  const { endedAt, error, invokedAt, operation, outcome, result } = event
  const end = isWrite(operation) || result === undefined
    ? outcomes[outcome]
    : `shown ${JSON.stringify(result.value) ?? "nothing"}`
  return {
    at: invokedAt - startAt,
    text: `${ofOperation(operation, brought)}: ${end} after ${whole(endedAt - invokedAt)} ms`
      + (error === undefined ? "" : `, ${error}`)
  }
}

const ofFault = ({ atMillis, fault, forMillis, node }: PlannedFault): Line => ({
  at: atMillis,
  text: `${fault} at ${node} for ${forMillis} ms: ${faultClass(fault)?.what}`
})

/** When the time of the plan began: the first operation of each session is begun as planned. */
export const startOf = ({ events }: Record): number =>
  Math.min(...events.map(({ invokedAt, operation }) => invokedAt - operation.atMillis))

const eventsOf = (record: Record, brought: ReadonlyMap<number, Brought>) => {
  const startAt = startOf(record)
  return record.events.map((event) => ofEvent(event, startAt, brought.get(event.operation.id)))
}

/** The value shown of each document, and the nodes that show it: all, if it has converged. */
const endOf = ({ final }: Record): ReadonlyArray<string> =>
  final.flatMap(({ key, shown }) => {
    const nodes = new Map<string, ReadonlyArray<string>>()
    for (const [node, answer] of shown) {
      const text = typeof answer === "string"
        ? answer
        : JSON.stringify(answer.value) ?? "nothing"
      nodes.set(text, [...nodes.get(text) ?? [], node])
    }
    return [...nodes].map(([text, by]) =>
      `in the end, at ${by.join(", ")}, ${JSON.stringify(key)} is ${text}`
    )
  })

/** `record` is of the plan's run, where that came to an end. */
export const account = (
  plan: Plan,
  record: Record | undefined,
  brought: ReadonlyMap<number, Brought>
): ReadonlyArray<string> => {
  const done = record === undefined
    ? plan.operations.filter(({ id }) => brought.has(id)).map((operation): Line => ({
      at: operation.atMillis,
      text: ofOperation(operation, brought.get(operation.id))
    }))
    : eventsOf(record, brought)
  const lines = [...done, ...plan.faults.map(ofFault)].sort((a, b) => a.at - b.at)
  const left = lines.slice(-linesMax)
  return [
    ...left.length < lines.length ? [`(${lines.length - left.length} lines before)`] : [],
    ...left.map(({ at, text }) => `${whole(at).padStart(6)} ms  ${text}`),
    ...record === undefined ? [] : endOf(record)
  ]
}
