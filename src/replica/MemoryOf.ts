/**
 * Estimates the bytes of memory that a decoded document takes, as `test/replica/MemoryOf.test.ts`
 * compares with the heap: those of its encoding, for its text, and those of every object around it.
 */
import type { Document } from "../core/crdt/Document.ts"
import type { DotStore } from "../core/crdt/DotStore.ts"
import { leafMemory, treeMemory } from "../core/crdt/LeafSize.ts"

/** The document, its maps, its digest and the entry of a cache. */
const documentBytes = 640
const actorBytes = 40
const historyBytes = 200

const bytesOfStore = (store: DotStore): number =>
  store.kind === "tree" ? treeMemory.children + store.children.summary.memory : leafMemory(store)

/** `encodedBytes` is the size of the document, encoded. */
export const memoryOf = (
  { context, deferred, store }: Document,
  { encodedBytes, name }: { readonly encodedBytes: number; readonly name: string }
): number => {
  let bytes = documentBytes + name.length + encodedBytes + actorBytes * context.size
  if (store !== undefined) bytes += bytesOfStore(store)
  for (const { seen } of deferred) bytes += historyBytes + actorBytes * seen.size
  return bytes
}
