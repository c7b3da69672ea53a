/**
 * Reconciles by last write wins: of two concurrent writes, the one with the greater hybrid stamp
 * stays and the other is lost. For values that are written whole and of which only the latest
 * version matters; for a value that two people may edit at once, take another family.
 */
import * as HybridClock from "../clock/HybridClock.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { visibleStore } from "../crdt/Document.ts"
import type { DotStore, LastWriterRegister } from "../crdt/DotStore.ts"
import { replaced, valueArgument } from "./Mutations.ts"
import type { Mutated, Mutation, Operation, Strategy } from "./Strategy.ts"

const latestOf = (store: DotStore | undefined): LastWriterRegister | undefined =>
  store?.kind === "latest" ? store : undefined

const write = (mutation: Mutation, value: string | null): Mutated => {
  const seenHere = latestOf(mutation.document.store)?.stamp ?? 0
  const stamp = HybridClock.nextStamp({
    nowMillis: mutation.nowMillis,
    seen: Math.max(seenHere, mutation.stampSeen)
  })
  const { dot: { actor, counter } } = mutation
  return replaced(mutation, {
    store: { kind: "latest", actor, counter, stamp, value },
    vector: mutation.seen?.vector ?? VersionVector.empty
  })
}

const put: Operation = {
  name: "put",
  args: ["value"],
  deletes: false,
  mutate: (mutation) => {
    const value = valueArgument(mutation, 0)
    return typeof value === "string" ? write(mutation, value) : value
  }
}

/** A delete is a write without a value, so that it has its place in the order. */
const remove: Operation = {
  name: "delete",
  args: [],
  deletes: true,
  mutate: (mutation) => write(mutation, null)
}

export const lww: Strategy = {
  name: "lww",
  version: 1,
  kind: "latest",
  operations: new Map([["put", put], ["delete", remove]]),
  view: (document, nowMillis) => {
    const latest = latestOf(visibleStore(document, nowMillis))
    return { values: latest === undefined || latest.value === null ? [] : [latest.value] }
  },
  stampOf: (document) => latestOf(document.store)?.stamp ?? 0
}
