/**
 * Specifies the data types: the view, as a function of the operations that were seen and of those
 * that each of them had seen.
 *
 * - An element is in a set if an addition was seen that no seen addition of it had known, and no
 *   seen removal had observed.
 * - A register shows the latest of the values that no seen write had known and no removal observed.
 * - A counter is the sum of the amounts seen that no seen removal had observed.
 * - Maps and documents contain their children; a removal observes everything below its path.
 */
import type { TypeDefinition } from "../../src/core/model/BucketDefinition.ts"
import * as CanonicalJson from "../../src/core/model/CanonicalJson.ts"
import { counterUpdatesMax } from "./SpecifiedCluster.ts"
import { compare, type Happened, isIn, known, type Mask, observed, within } from "./Happened.ts"

/** An operation on a data type, with its path. */
export type TypeChange =
  & { readonly path: ReadonlyArray<string> }
  & (
    | { readonly tag: "amount"; readonly amount: number }
    | { readonly tag: "write"; readonly value: unknown }
    | { readonly tag: "element"; readonly element: unknown }
    | { readonly tag: "removal"; readonly of: TypeDefinition }
  )

type Event = Happened<TypeChange>
type Events = ReadonlyArray<Event>
type Path = ReadonlyArray<string>

const isBelow = (path: Path, top: Path): boolean =>
  top.length <= path.length && top.every((name, i) => name === path[i])

const isAt = (event: Event, path: Path): boolean =>
  event.change.path.length === path.length && isBelow(event.change.path, path)

/** The removals in `seen` that concern `path`. */
const removals = (seen: Events, path: Path): Events =>
  seen.filter(({ change }) => change.tag === "removal" && isBelow(path, change.path))

/** Those in `events` that no removal in `seen` had observed. */
const unremoved = (events: Events, seen: Events): Events =>
  events.filter((event) =>
    !removals(seen, event.change.path).some((removal) => isIn(event, observed(removal)))
  )

/** Those in `events` that stand: not removed, and not replaced at their path by one that knew. */
const unreplaced = (events: Events, seen: Events): Events =>
  unremoved(events, seen).filter((event) =>
    !events.some((other) => isAt(other, event.change.path) && isIn(event, known(other)))
  )

/** The writes at a path that stand. */
const standing = (seen: Events, path: Path): Events =>
  unreplaced(seen.filter((event) => event.change.tag === "write" && isAt(event, path)), seen)

const pathsOf = (seen: Events): ReadonlyArray<Path> => {
  const writes = seen.filter(({ change }) => change.tag === "write")
  return [...new Map(writes.map(({ change }) => [change.path.join("\n"), change.path])).values()]
}

/** Stamps are a function of the history too; they are looked up often. */
const stamps = new WeakMap<Event, number>()

const greatest = (history: Events, events: Events): number =>
  events.reduce((most, event) => Math.max(most, stampOf(history, event)), 0)

/** Later than the clock, than the stamps there, and than all that the client had read. */
const stampOf = (history: Events, event: Event): number => {
  const known = stamps.get(event)
  if (known !== undefined) return known
  const read = event.read.map((mask) => {
    const seen = within(history, mask)
    return greatest(history, pathsOf(seen).flatMap((path) => standing(seen, path)))
  })
  const here = greatest(history, standing(within(history, event.local), event.change.path))
  const stamp = Math.max(event.nowMillis * 1000, here, ...read) + 1
  stamps.set(event, stamp)
  return stamp
}

/** The view of one subtree, and whether there is anything in it. */
interface Shown {
  readonly isLive: boolean
  readonly json: unknown
}

const register = (history: Events, seen: Events, path: Path): Shown => {
  const [winner] = [...standing(seen, path)].sort((a, b) =>
    stampOf(history, b) - stampOf(history, a) || compare(b, a)
  )
  const json = winner?.change.tag === "write" ? winner.change.value : null
  return { isLive: winner !== undefined, json }
}

const set = (seen: Events, path: Path): Shown => {
  const additions = seen.filter(({ change }) =>
    change.tag === "element" && change.path.length === path.length + 1 && isBelow(change.path, path)
  )
  const texts = new Set(unreplaced(additions, seen).map(({ change }) => change.path.at(-1)!))
  return { isLive: texts.size > 0, json: [...texts].sort().map(CanonicalJson.decode) }
}

/**
 * Whether a removal by a client that has seen `seen` may be refused as too old at a replica that
 * has seen `local`: one actor has added to one counter below its path too often since.
 */
export const mayBeTooOld = (
  history: Events,
  local: Mask,
  { change, seen }: { readonly change: TypeChange; readonly seen: Mask }
): boolean => {
  if (change.tag !== "removal") return false
  const unseen = within(history, local & ~seen).filter((event) =>
    event.change.tag === "amount" && isBelow(event.change.path, change.path)
  )
  return unseen.some((event) =>
    unseen.filter((other) => isAt(other, event.change.path) && other.actor === event.actor)
      .length >= counterUpdatesMax
  )
}

const counter = (seen: Events, path: Path): Shown => {
  const amounts = seen.filter((event) => event.change.tag === "amount" && isAt(event, path))
  const left = unremoved(amounts, seen)
  const sum = left.reduce(
    (all, { change }) => all + (change.tag === "amount" ? change.amount : 0),
    0
  )
  return { isLive: left.length > 0, json: sum }
}

const shown = (type: TypeDefinition, history: Events, seen: Events, path: Path): Shown => {
  const part = (inner: TypeDefinition, name: string) => shown(inner, history, seen, [...path, name])
  switch (type.type) {
    case "register":
      return register(history, seen, path)
    case "set":
      return set(seen, path)
    case "counter":
      return counter(seen, path)
    case "map": {
      const below = seen.filter(({ change }) => isBelow(change.path, path))
      const names = new Set(below.flatMap(({ change }) => change.path[path.length] ?? []))
      const entries = [...names].map((name) => [name, part(type.of, name)] as const)
      const live = entries.filter(([, { isLive }]) => isLive)
      const json = Object.fromEntries(live.map(([name, entry]) => [name, entry.json]))
      return { isLive: live.length > 0, json }
    }
    case "document": {
      const fields = Object.entries(type.fields).map(([name, of]) =>
        [name, part(of, name)] as const
      )
      return {
        isLive: fields.some(([, { isLive }]) => isLive),
        json: Object.fromEntries(fields.map(([name, { json }]) => [name, json]))
      }
    }
  }
}

/** The view of a document of `type` for a reader that has seen the operations in `mask`. */
export const view = (type: TypeDefinition) => (history: Events, mask: Mask) => {
  const { isLive, json } = shown(type, history, within(history, mask), [])
  return isLive ? [CanonicalJson.encode(json)] : []
}
