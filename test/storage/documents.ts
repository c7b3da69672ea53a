/**
 * Builds the keys, changes and answers that storage tests compare.
 */
import type {
  Change,
  ReadResult,
  RowKey,
  StorageFailure,
  StorageService
} from "../../src/storage/Storage.ts"

export const keyOf = (partitionKey: string, more: Partial<RowKey> = {}): RowKey => ({
  partition: 7,
  bucket: "carts",
  partitionKey,
  sortKey: "",
  ...more
})

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** A header, and the elements that change; `count` where the document has more than these. */
export const put = (
  key: RowKey,
  header: string,
  elements: Readonly<Record<string, string | undefined>> = {},
  count = Object.values(elements).filter((value) => value !== undefined).length
): Change => ({
  key,
  header: bytesOf(header),
  elements: Object.entries(elements).map(([path, value]) =>
    [path, value === undefined ? undefined : bytesOf(value)] as const
  ),
  elementCount: count
})

export const removal = (key: RowKey): Change => ({
  key,
  header: undefined,
  elements: [],
  elementCount: 0
})

type Outcome = Promise<StorageFailure | undefined>

/** Resolves with what `done` is called with. */
export const commit = (service: StorageService, ...changes: ReadonlyArray<Change>): Outcome =>
  new Promise((resolve) => service.writeAll(changes, resolve))

export const commitFact = (service: StorageService, name: string, value: string): Outcome =>
  new Promise((resolve) => service.writeFact(name, value, resolve))

/** A read result as text: `header{path=element,...}`, or its tag. */
export const shown = (result: ReadResult): string => {
  if (result._tag !== "Found") return result._tag
  const { header, elements } = result.document
  return `${textOf(header)}{${
    [...elements].map(([path, bytes]) => `${path}=${textOf(bytes)}`).join()
  }}`
}
