/**
 * Builds the keys, changes and answers that storage tests compare.
 */
import { acceptChange, type AcceptedBatch, acceptRow } from "../../src/storage/AcceptedBatch.ts"
import type {
  Batch,
  Change,
  HeaderResult,
  KeyedRow,
  ReadResult,
  RowKey,
  RowResult,
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

export const textOf = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

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

/** Resolves with the argument of `done`. */
export const commitBatch = (service: StorageService, batch: Batch): Outcome =>
  new Promise((resolve) => void service.write(batch, resolve))

export const batchOf = (...documents: ReadonlyArray<Change>): Batch => ({ documents, rows: [] })

export const commit = (service: StorageService, ...changes: ReadonlyArray<Change>): Outcome =>
  commitBatch(service, batchOf(...changes))

export const commitRows = (service: StorageService, ...rows: ReadonlyArray<KeyedRow>): Outcome =>
  commitBatch(service, { documents: [], rows })

/** A row of node metadata; absent text removes it. */
export const note = (name: string, text: string | undefined): KeyedRow => ({
  family: "metadata",
  key: [name],
  bytes: text === undefined ? undefined : bytesOf(text)
})

/** As a queue accepts it, for the code below the queue. */
export const accepted = ({ documents, rows }: Batch, sequence = 1): AcceptedBatch => ({
  documents: documents.map((change) => acceptChange(change, sequence)),
  rows: rows.map((row) => acceptRow(row, []))
})

/** A row's text, or its tag. */
export const shownRow = (result: RowResult): string =>
  result._tag === "Found" ? textOf(result.bytes) : result._tag

/** A header's text, or its tag. */
export const shownHeader = (result: HeaderResult): string =>
  result._tag === "Found" ? textOf(result.document.header) : result._tag

/** A read result as text: `header{path=element,...}`, or its tag. */
export const shown = (result: ReadResult): string => {
  if (result._tag !== "Found") return result._tag
  const { header, elements } = result.document
  return `${textOf(header)}{${
    [...elements].map(([path, bytes]) => `${path}=${textOf(bytes)}`).join()
  }}`
}
