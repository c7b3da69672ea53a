/**
 * Reconciles by keeping: concurrent values stay beside one another until a write that has seen
 * them replaces them. This is the interface of the Dynamo paper (section 4.4); an application
 * merge is the same states with a function that makes one value of them on reading.
 */
import * as HybridClock from "../clock/HybridClock.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import type { Sibling } from "../clock/DottedVersionVectorSet.ts"
import { type Document, visibleStore } from "../crdt/Document.ts"
import type { DotStore } from "../crdt/DotStore.ts"
import { replaced, valueArgument } from "./Mutations.ts"
import type { Operation, Strategy, View } from "./Strategy.ts"

const siblingsOf = (store: DotStore | undefined): ReadonlyArray<Sibling> =>
  store?.kind === "values" ? store.siblings : []

const stampOf = ({ store }: Document): number =>
  siblingsOf(store).reduce((greatest, sibling) => Math.max(greatest, sibling.stamp), 0)

/**
 * Without a context the write has seen nothing, so it becomes one more sibling. Its stamp is later
 * than those that it replaces; nothing orders it among the ones that it has not seen.
 */
const put: Operation = {
  name: "put",
  args: ["value"],
  deletes: false,
  mutate: (mutation) => {
    const value = valueArgument(mutation, 0)
    if (typeof value !== "string") return value
    const stamp = HybridClock.nextStamp({
      nowMillis: mutation.nowMillis,
      seen: mutation.stampSeen
    })
    return replaced(mutation, {
      store: { kind: "values", siblings: [{ ...mutation.dot, stamp, value }] },
      vector: mutation.seen?.vector ?? VersionVector.empty
    })
  }
}

/**
 * Removes the siblings that the client has seen; without a context, those that this replica holds.
 */
const remove: Operation = {
  name: "delete",
  args: [],
  deletes: true,
  mutate: (mutation) =>
    replaced(mutation, {
      store: undefined,
      vector: mutation.seen?.vector ?? mutation.document.context
    })
}

const operations: ReadonlyMap<string, Operation> = new Map([["put", put], ["delete", remove]])

const view = (document: Document, nowMillis: number): View => ({
  values: siblingsOf(visibleStore(document, nowMillis)).map((s) => s.value)
})

const kind = "values"

export const siblings: Strategy = { name: "siblings", version: 1, kind, operations, view, stampOf }

/** The states of an application merge; the function runs where its code is. */
export const merge = (version: number): Strategy => ({
  name: "merge",
  version,
  kind,
  operations,
  view,
  stampOf
})
