/**
 * Carries out planned operations through the same handles that applications use.
 */
import type { Written } from "../../client/Entry.ts"
import { makeHandle } from "../../client/MakeHandle.ts"
import type { Requester } from "../../client/Requester.ts"
import * as Task from "../../client/Task.ts"
import type { StoreError } from "../../core/model/StoreError.ts"
import type { Any } from "../../core/strategy/Bucket.ts"
import { type PlannedOperation, valueOf } from "./Plan.ts"
import { Carts, type CartValue, Counts, Documents, Notes, Registers, Tags } from "./SimBuckets.ts"

export type AnyEntry = Written<string, string, any>
export type EntryTask = Task.Task<AnyEntry, StoreError>

/** The handles of one session, whose methods return tasks. */
export type SessionHandles = Readonly<Record<string, any>>

const identity = (task: Task.Task<any, any>): unknown => task

export const handlesOf = (requester: Requester): SessionHandles => ({
  registers: makeHandle(Registers, requester, identity),
  notes: makeHandle(Notes, requester, identity),
  tags: makeHandle(Tags, requester, identity),
  counts: makeHandle(Counts, requester, identity),
  documents: makeHandle(Documents, requester, identity),
  carts: makeHandle(Carts, requester, identity)
})

/** The arguments of an operation; `seen` is the entry that it brings, if any. */
interface Doing {
  readonly handle: any
  readonly requester: Requester
  readonly operation: PlannedOperation
  readonly seen: AnyEntry | undefined
}

const optionsOf = ({ operation, seen }: Doing) => ({
  consistency: operation.consistency,
  ...(seen === undefined ? {} : { seen })
})

/** A call that no typed handle offers, as users of the HTTP or NATS interface may send it. */
const raw = (bucket: Any, doing: Doing, name: string, args: ReadonlyArray<string>): EntryTask => {
  const { operation: { key }, requester, seen } = doing
  const options = optionsOf(doing)
  const calls = () => [{ name, args }]
  return requester.write({ bucket, key, calls, context: seen?.context, options })
}

const deleteSeen = (doing: Doing): EntryTask =>
  doing.handle.delete(doing.seen ?? doing.operation.key, optionsOf(doing))

/** The cart after an operation: an addition is named after it, a removal strikes all there are. */
const changeCart = (cart: CartValue, operation: PlannedOperation): CartValue => {
  const { action } = operation
  if (action.kind === "add") {
    return { ...cart, [action.item]: { ...cart[action.item], [valueOf(operation)]: 1 } }
  }
  const item = action.kind === "remove" ? action.item : ""
  const struck = Object.keys(cart[item] ?? {}).map((name) => [name, null] as const)
  return { ...cart, [item]: Object.fromEntries(struck) }
}

const onCart = (doing: Doing): EntryTask => {
  const { handle, operation, seen } = doing
  const { key } = operation
  const change = (cart: CartValue | undefined) => changeCart(cart ?? {}, operation)
  if (seen === undefined) return handle.update(key, change, optionsOf(doing))
  const before = seen._tag === "Found" ? seen.value : undefined
  return handle.replace(seen, change(before), optionsOf(doing))
}

const onNotes = (doing: Doing): EntryTask => {
  const { handle, operation: { action, key, ...operation }, seen } = doing
  const value = valueOf(operation)
  const brings = "seen" in action ? action.seen : "nothing"
  if (action.kind === "delete") {
    return brings === "nothing" ? raw(Notes, doing, "delete", []) : deleteSeen(doing)
  }
  if (brings === "nothing") return raw(Notes, doing, "put", [value])
  if (seen === undefined) return handle.update(key, () => value, optionsOf(doing))
  return handle.replace(seen, value, optionsOf(doing))
}

const onRegisters = (doing: Doing): EntryTask => {
  const { handle, operation: { action, key, ...operation }, seen } = doing
  const value = valueOf(operation)
  if (action.kind === "delete") return deleteSeen(doing)
  if (seen !== undefined) return raw(Registers, doing, "put", [value])
  return action.kind === "put" && action.seen !== "nothing"
    ? Task.andThen(
      handle.entry(key, optionsOf(doing)),
      (seen: AnyEntry) => handle.put(key, value, { ...optionsOf(doing), seen })
    )
    : handle.put(key, value, optionsOf(doing))
}

const onType = (doing: Doing): EntryTask => {
  const { handle, operation: { action, bucket, key, ...operation } } = doing
  const value = valueOf(operation)
  const options = optionsOf(doing)
  const isDocument = bucket === "documents"
  switch (action.kind) {
    case "add":
      return isDocument
        ? handle.lines.add(key, action.item, value, options)
        : handle.add(key, action.item, options)
    case "remove":
      return isDocument
        ? handle.lines.drop(key, action.item, options)
        : handle.remove(key, action.item, options)
    case "increment":
      return handle.add(key, 4 ** action.digit, options)
    case "title":
      return handle.title.set(key, value, options)
    default:
      return deleteSeen(doing)
  }
}

const act = (doing: Doing): EntryTask => {
  const { action, bucket, consistency, key } = doing.operation
  if (action.kind === "read") return doing.handle.entry(key, { consistency })
  switch (bucket) {
    case "registers":
      return onRegisters(doing)
    case "notes":
      return onNotes(doing)
    case "carts":
      return onCart(doing)
    default:
      return onType(doing)
  }
}

/** Whether the method that carries it out reads by itself. */
const readsItself = ({ action, bucket }: PlannedOperation): boolean =>
  bucket === "carts" || bucket === "notes" || (bucket === "registers" && action.kind === "put")

/**
 * The task of an operation. `kept` is the entry that the session remembers of its document, for
 * operations that bring a context seen long ago.
 */
export const operate = (
  options: {
    readonly handles: SessionHandles
    readonly requester: Requester
    readonly operation: PlannedOperation
    readonly kept: AnyEntry | undefined
  }
): EntryTask => {
  const { handles, kept, operation, requester } = options
  const { action, bucket, consistency, key } = operation
  const handle = handles[bucket]
  const doing = { handle, requester, operation, seen: undefined }
  const brings = "seen" in action ? action.seen : "nothing"
  if (brings === "nothing") return act(doing)
  if (brings === "kept" && kept !== undefined) return act({ ...doing, seen: kept })
  if (readsItself(operation)) return act(doing)
  const read: EntryTask = handle.entry(key, { consistency })
  return Task.andThen(read, (seen) => act({ ...doing, seen }))
}
