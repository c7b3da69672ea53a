/**
 * Estimates the bytes of memory that a decoded document takes, as `test/replica/MemoryOf.test.ts`
 * compares with the heap: those of its encoding, for its text, and those of every object around it.
 */
import type { Document } from "../core/crdt/Document.ts"
import type { DotStore } from "../core/crdt/DotStore.ts"

/** The document, its maps, its digest and the entry of a cache. */
const documentBytes = 640
const actorBytes = 40
const storeBytes = 64
const siblingBytes = 150
const childrenBytes = 200
const childBytes = 150
const totalBytes = 120
const updateBytes = 48

const bytesOfStore = (store: DotStore): number => {
  switch (store.kind) {
    case "latest":
      return storeBytes
    case "values":
      return storeBytes + siblingBytes * store.siblings.length
    case "counter": {
      let bytes = storeBytes
      for (const { updates } of store.totals.values()) {
        bytes += totalBytes + updateBytes * updates.length
      }
      return bytes
    }
    case "tree": {
      let bytes = childrenBytes
      for (const child of store.children.values()) bytes += childBytes + bytesOfStore(child)
      return bytes
    }
  }
}

/** `encodedBytes` is the size of the document, encoded. */
export const memoryOf = (
  { context, deferred, store }: Document,
  { encodedBytes, name }: { readonly encodedBytes: number; readonly name: string }
): number => {
  let bytes = documentBytes + name.length + encodedBytes + actorBytes * context.size
  if (store !== undefined) bytes += bytesOfStore(store)
  for (const { seen } of deferred) bytes += childrenBytes + actorBytes * seen.size
  return bytes
}
