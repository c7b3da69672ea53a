/**
 * Writes and reads the share of one actor in a counter.
 *
 * ```
 * total   = index of the actor, counter of the removed baseline or 0, its sum unless that is 0,
 *           twice the count of updates and 1 where earlier ones may be missing, updates
 * update  = how far its counter and its sum are beyond those of the one before, at first beyond
 *           those of the baseline
 * ```
 *
 * Documents of formats 1 and 2 and elements of format 1 have two growing sums instead, and no
 * updates but the last.
 */
import { type ByteReader, type ByteWriter, Malformed } from "../codec/Bytes.ts"
import { last, none } from "./CounterTotal.ts"
import type { CounterUpdate, PerActorTotal } from "./DotStore.ts"
import { minus, plus, readSum, writeSum } from "./Sum.ts"

/** Writes all but the index of the actor. */
export const writeTotal = (writer: ByteWriter, total: PerActorTotal): void => {
  const { isCut, removed, updates } = total
  writer.varint(removed.counter)
  if (removed.counter > 0) writeSum(writer, removed.sum)
  writer.varint(2 * updates.length + Number(isCut))
  let before = removed
  for (const update of updates) {
    writer.varint(update.counter - before.counter)
    writeSum(writer, minus(update.sum, before.sum))
    before = update
  }
}

const readUpdates = (
  reader: ByteReader,
  removed: CounterUpdate,
  count: number
): ReadonlyArray<CounterUpdate> => {
  const updates: Array<CounterUpdate> = []
  let before = removed
  for (let i = 0; i < count; i++) {
    const at = reader.offset
    const counter = before.counter + reader.varint("a counter")
    const update = { counter, sum: plus(before.sum, readSum(reader, "an amount")) }
    if (counter === before.counter || !Number.isSafeInteger(counter)) {
      throw new Malformed("updates in order", at)
    }
    updates.push(update)
    before = update
  }
  return updates
}

/** Reads all but the index of the actor. Throws `Malformed`. */
export const readTotal = (
  reader: ByteReader,
  isKnown: (counter: number) => boolean
): PerActorTotal => {
  const at = reader.offset
  const counter = reader.varint("a counter")
  const removed = counter === 0 ? none.removed : { counter, sum: readSum(reader, "a sum") }
  const flags = reader.varint("a count of updates")
  const count = Math.floor(flags / 2)
  const isCut = flags % 2 === 1
  const fits = 2 * count <= reader.remaining && (count > 0 || (counter > 0 && !isCut))
  if (!fits) throw new Malformed("updates of a counter", at)
  const total = { removed, updates: readUpdates(reader, removed, count), isCut }
  if (!isKnown(last(total).counter)) throw new Malformed("a dot of the document's context", at)
  return total
}

/** Reads an entry of before updates were kept, all but the index of the actor. */
export const readFormerTotal = (
  reader: ByteReader,
  isKnown: (counter: number) => boolean
): PerActorTotal => {
  const at = reader.offset
  const counter = reader.varint("a counter")
  const added = reader.varint("an amount")
  const taken = reader.varint("an amount")
  const removedCounter = reader.varint("a counter")
  const removedAdded = removedCounter > 0 ? reader.varint("an amount") : 0
  const removedTaken = removedCounter > 0 ? reader.varint("an amount") : 0
  const fits = counter > 0 && isKnown(counter) && removedCounter <= counter
    && removedAdded <= added && removedTaken <= taken
  if (!fits) throw new Malformed("a removal of existing totals", at)
  const removed = removedCounter === 0
    ? none.removed
    : { counter: removedCounter, sum: removedAdded - removedTaken }
  if (removedCounter === counter) return { ...none, removed }
  return { removed, updates: [{ counter, sum: added - taken }], isCut: true }
}
