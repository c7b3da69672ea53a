/**
 * Looks at documents without the codec and the joins that are tested: prints them one way, and
 * lists what is unsound in them.
 */
import { compareDots, type Dot } from "../../../src/core/clock/Dot.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import { Children } from "../../../src/core/crdt/Children.ts"
import type { Document } from "../../../src/core/crdt/Document.ts"
import { childKind, type DotStore, type PerActorTotal } from "../../../src/core/crdt/DotStore.ts"

const sortedEntries = (_: string, value: unknown): unknown => {
  if (typeof value === "bigint") return `${value}n`
  const isMap = value instanceof Map || value instanceof Children
  if (isMap) return [...value].toSorted((a, b) => (a[0] < b[0] ? -1 : 1))
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted((a, b) => (a[0] < b[0] ? -1 : 1)))
}

/** Everything in a document as text: equal documents, equal text. */
export const textOf = ({ context, deferred, expiry, store }: Document): string =>
  JSON.stringify({ context, store, deferred, expiry }, sortedEntries, 1)

/** The states in a store that are no trees. */
export const leavesOf = (store: DotStore | undefined): ReadonlyArray<DotStore> => {
  if (store === undefined) return []
  if (store.kind !== "tree") return [store]
  return [...store.children.values()].flatMap(leavesOf)
}

const dotsOf = (leaf: DotStore): ReadonlyArray<Dot> => {
  switch (leaf.kind) {
    case "latest":
      return [leaf]
    case "values":
      return leaf.siblings
    case "counter":
      return [...leaf.totals].flatMap(([actor, { removed, updates }]) =>
        (removed.counter > 0 ? [removed, ...updates] : updates).map(({ counter }) => (
          { actor, counter }
        ))
      )
    case "tree":
      return []
  }
}

const isAscending = <A>(items: ReadonlyArray<A>, compare: (a: A, b: A) => number): boolean =>
  items.every((item, i) => i === 0 || compare(items[i - 1]!, item) < 0)

const faultsOfTotal = ({ isCut, removed, updates }: PerActorTotal): ReadonlyArray<string> => [
  ...(removed.counter > 0 || removed.sum === 0 ? [] : ["a sum of nothing"]),
  ...(removed.counter > 0 || updates.length > 0 ? [] : ["a total of nothing"]),
  ...(isAscending([removed, ...updates], (a, b) => a.counter - b.counter)
    ? []
    : ["updates out of order"]),
  ...(isCut && updates.length === 0 ? ["a cut that is not there"] : []),
  ...[removed, ...updates].flatMap(({ sum }) =>
    typeof sum === "number" ? Number.isSafeInteger(sum) : !Number.isSafeInteger(Number(sum))
  ).flatMap((isLeast) => isLeast ? [] : ["a sum that is not in its least form"])
]

const faultsOfStore = (store: DotStore): ReadonlyArray<string> => {
  switch (store.kind) {
    case "latest":
      return []
    case "values":
      return [
        ...(store.siblings.length > 0 ? [] : ["values without siblings"]),
        ...(isAscending(store.siblings, compareDots) ? [] : ["siblings out of order"])
      ]
    case "counter":
      return [
        ...(store.totals.size > 0 ? [] : ["a counter without totals"]),
        ...[...store.totals.values()].flatMap(faultsOfTotal)
      ]
    case "tree":
      return [
        ...(store.children.size > 0 ? [] : ["a tree without children"]),
        ...[...store.children].flatMap(([key, child]) => [
          ...(childKind(key) === child.kind ? [] : [`another kind under ${key}`]),
          ...faultsOfStore(child)
        ])
      ]
  }
}

/** The broken promises of `Document` and `DotStore`; none for a sound document. */
export const faultsOf = (document: Document): ReadonlyArray<string> => {
  const { context, deferred, expiry, store } = document
  const dots = [...leavesOf(store).flatMap(dotsOf), ...deferred, ...expiry]
  const isKnown = ({ actor, counter }: Dot) =>
    counter > 0 && VersionVector.contains(context, actor, counter)
  return [
    ...(store === undefined ? [] : faultsOfStore(store)),
    ...(dots.every(isKnown) ? [] : ["a dot outside the context"]),
    ...([...context.values()].every((counter) => counter > 0) ? [] : ["a counter of 0"]),
    ...(isAscending(deferred, compareDots) ? [] : ["deferrals out of order"]),
    ...deferred.flatMap(({ path, seen }) => [
      ...(VersionVector.covers(context, seen) ? ["a deferral that waits for nothing"] : []),
      ...(path.length <= 32 && path.every((key) => childKind(key) !== undefined)
        ? []
        : ["a deferral that leads nowhere"])
    ]),
    ...(isAscending(expiry, compareDots) ? [] : ["expiry entries out of order"])
  ]
}
