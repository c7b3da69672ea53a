/**
 * Remembers what is accepted and not yet committed, so that a read sees every write before it.
 *
 * Each document keeps the list of its waiting changes, in order, and not one merged state: the
 * oldest can leave when it is committed, so that a document under constant writing holds no more
 * than what waits. Once a change is committed the disk has it; laying a change over a disk that
 * has it already changes nothing, so it does not matter which of the two is seen first.
 */
import { invariant } from "../core/Invariant.ts"
import type { Fact } from "./Committer.ts"
import { compareKeys, keyText } from "./KeyOrder.ts"
import type { Change, RowKey } from "./Storage.ts"

/** What waits for one document, laid over what the disk holds. */
export interface Overlay {
  /** Absent where the last waiting change removes the document. */
  readonly header: Uint8Array | undefined
  readonly elementCount: number
  /** A waiting change removes the document: no element on disk counts any more. */
  readonly replaces: boolean
  readonly elements: ReadonlyMap<string, Uint8Array | undefined>
}

export interface PendingKey {
  readonly key: RowKey
  /** Whether the document exists after the last waiting change. */
  readonly present: boolean
}

const overlayOf = (changes: ReadonlyArray<Change>, last: Change): Overlay => {
  const removal = changes.findLastIndex(({ header }) => header === undefined)
  const elements = new Map(changes.slice(removal + 1).flatMap((change) => change.elements))
  return {
    header: last.header,
    elementCount: last.elementCount,
    replaces: removal >= 0,
    elements
  }
}

export class PendingChanges {
  readonly #documents = new Map<string, Array<Change>>()
  readonly #facts = new Map<string, Array<Fact>>()

  accept(change: Change): void {
    append(this.#documents, keyText(change.key), change)
  }

  acceptFact(fact: Fact): void {
    append(this.#facts, fact.name, fact)
  }

  /** Forgets the oldest change of its document, which is committed now. */
  settle(change: Change): void {
    removeOldest(this.#documents, keyText(change.key), change)
  }

  settleFact(fact: Fact): void {
    removeOldest(this.#facts, fact.name, fact)
  }

  /** Hides everything: a group failed, and what came after may rest on it. */
  clear(): void {
    this.#documents.clear()
    this.#facts.clear()
  }

  overlay(key: RowKey): Overlay | undefined {
    const changes = this.#documents.get(keyText(key))
    const last = changes?.at(-1)
    return changes === undefined || last === undefined ? undefined : overlayOf(changes, last)
  }

  fact(name: string): string | undefined {
    return this.#facts.get(name)?.at(-1)?.value
  }

  /** The waiting documents of a partition after `after`, in key order. */
  keysAfter(partition: number, after: RowKey | undefined): ReadonlyArray<PendingKey> {
    const keys: Array<PendingKey> = []
    for (const changes of this.#documents.values()) {
      const last = changes.at(-1)
      if (last?.key.partition !== partition) continue
      if (after !== undefined && compareKeys(last.key, after) <= 0) continue
      keys.push({ key: last.key, present: last.header !== undefined })
    }
    return keys.sort((a, b) => compareKeys(a.key, b.key))
  }
}

const append = <A>(lists: Map<string, Array<A>>, name: string, item: A): void => {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [item])
  else list.push(item)
}

const removeOldest = <A>(lists: Map<string, Array<A>>, name: string, item: A): void => {
  const list = lists.get(name)
  invariant(list?.[0] === item, "changes of one document are committed in the order of acceptance")
  if (list.length === 1) lists.delete(name)
  else list.shift()
}
