/**
 * Measures states that are no trees: the bytes that `StoreCodec` writes for them, and those of
 * memory. `test/core/crdt/EncodedDocument.test.ts` compares with the bytes, and
 * `test/replica/MemoryOf.test.ts` with the heap.
 */
import { textLength, varintLength } from "../codec/EncodedLength.ts"
import type { CounterUpdate, Leaf, PerActorTotal } from "./StoreShapes.ts"
import { lengthOfSum, minus } from "./Sum.ts"

/** An index of an actor takes a byte, up to 128 actors; more bytes are counted by `mentions`. */
const indexLength = 1

const updatesLength = (removed: CounterUpdate, updates: ReadonlyArray<CounterUpdate>): number => {
  let length = 0
  let before = removed
  for (const update of updates) {
    length += varintLength(update.counter - before.counter)
    length += lengthOfSum(minus(update.sum, before.sum))
    before = update
  }
  return length
}

const totalLength = ({ isCut, removed, updates }: PerActorTotal): number =>
  indexLength + varintLength(removed.counter)
  + (removed.counter > 0 ? lengthOfSum(removed.sum) : 0)
  + varintLength(2 * updates.length + Number(isCut)) + updatesLength(removed, updates)

/** Bytes of the encoding, with its kind. */
export const leafLength = (leaf: Leaf): number => {
  switch (leaf.kind) {
    case "latest":
      return 2 + indexLength + varintLength(leaf.counter) + varintLength(leaf.stamp)
        + (leaf.value === null ? 0 : textLength(leaf.value))
    case "values": {
      let length = 1 + varintLength(leaf.siblings.length)
      for (const { counter, stamp, value } of leaf.siblings) {
        length += indexLength + varintLength(counter) + varintLength(stamp) + textLength(value)
      }
      return length
    }
    case "counter": {
      let length = 1 + varintLength(leaf.totals.size)
      for (const total of leaf.totals.values()) length += totalLength(total)
      return length
    }
  }
}

/** Indexes of actors in the encoding. */
export const mentions = (leaf: Leaf): number => {
  switch (leaf.kind) {
    case "latest":
      return 1
    case "values":
      return leaf.siblings.length
    case "counter":
      return leaf.totals.size
  }
}

const memory = { store: 64, sibling: 150, total: 120, update: 48 } as const

/** Bytes of memory of a tree, and of each of its children, beside what is in them. */
export const treeMemory = { children: 200, child: 150 } as const

/** Bytes of memory of the objects, roughly; the text is not among them. */
export const leafMemory = (leaf: Leaf): number => {
  switch (leaf.kind) {
    case "latest":
      return memory.store
    case "values":
      return memory.store + memory.sibling * leaf.siblings.length
    case "counter": {
      let bytes = memory.store
      for (const { updates } of leaf.totals.values()) {
        bytes += memory.total + memory.update * updates.length
      }
      return bytes
    }
  }
}
